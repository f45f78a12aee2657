/** Shows that a change leaves training as it was: two commits, one recipe, equal losses or exit code 1; see `--help`. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { UserError } from '../src/core/errors.js';
import { compareCommits, type Training } from './loss-compare/compare.js';
import type { Comparison } from './loss-compare/curves.js';
import { runTool, type ToolArguments, wholeNumber } from './run-tool.js';
import { makeShapes } from './shapes/write.js';

const ROOT = join(import.meta.dirname, '../..');

const HELP = `Trains a few steps with two commits and compares their figures to the last bit.

  node dist/tools/loss-compare.js FIRST [SECOND] [options] [-- FLAGS | -- COMMAND ...]

FIRST and SECOND are commits; without SECOND, FIRST is compared with the working tree. Each commit is checked out into a temporary
worktree and built there. FLAGS are added to the pretraining; COMMAND is a command line of scrl that is run in its place.

  --config FILE     the recipe of both (configs/quickstart.yaml)
  --dataset FOLDER  images of both (a few rendered shapes)
  --epochs N        of each training (2)
  --linear          afterwards compare the linear evaluation, too; needs train/ and val/ with class folders

Exit code 0: equal; 1: not equal, and the first difference is printed; 2: a commit does not build, or its training fails.

Examples
  node dist/tools/loss-compare.js HEAD
  node dist/tools/loss-compare.js v0.1.0 HEAD --linear
  node dist/tools/loss-compare.js HEAD~3 HEAD --epochs 3 -- --network/scrl/enabled false
  node dist/tools/loss-compare.js HEAD -- linear --config configs/one_machine.yaml --weights random --dataset/root DIR
`;

const OPTIONS = {
  config: { type: 'string', default: join(ROOT, 'configs/quickstart.yaml') },
  dataset: { type: 'string' },
  epochs: { type: 'string', default: '2' },
  linear: { type: 'boolean', default: false },
} as const;

async function main({ values, positionals, rest }: ToolArguments<typeof OPTIONS>): Promise<void> {
  if (positionals.length < 1 || positionals.length > 2) {
    throw new UserError('give one or two commits', { remedy: 'see --help' });
  }
  wholeNumber('epochs', values.epochs, 1);
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  const folder = await mkdtemp(join(tmpdir(), 'loss-compare-images-'));
  try {
    const isEqual = await compareCommits({
      root: ROOT,
      revisions: [positionals[0], positionals[1]],
      trainings: await trainings(values, rest, folder),
      onCompared: (name, comparison) => process.stdout.write(`${describe(name, comparison)}\n`),
      onProgress: (doing) => process.stderr.write(`${doing}\n`),
      signal: stop.signal,
    });
    if (!isEqual) process.exitCode = 1;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

type Values = ToolArguments<typeof OPTIONS>['values'];

/** @param folder for images, when none are given */
async function trainings(values: Values, rest: readonly string[], folder: string): Promise<Training[]> {
  const [command] = rest;
  if (command !== undefined && !command.startsWith('-')) return [{ name: command, args: () => rest }];
  const shared = [
    ...['--config', resolve(values.config), '--no_pbar'],
    ...['--dataset/root', values.dataset === undefined ? await shapes(folder) : resolve(values.dataset)],
  ];
  const pretraining: Training = {
    name: 'pretrain',
    args: () => [
      'pretrain',
      ...shared,
      ...length('train', values.epochs),
      '--eval/enabled',
      'false',
      ...rest,
    ],
  };
  const evaluation: Training = {
    name: 'linear',
    args: (runs) => [
      'linear',
      ...shared,
      ...length('eval', values.epochs),
      '--weights',
      join(runs, 'pretrain/checkpoint_last.pth'),
    ],
  };
  return values.linear ? [pretraining, evaluation] : [pretraining];
}

function length(part: 'train' | 'eval', epochs: string): string[] {
  const warmUp = Number(epochs) > 1 ? '1' : '0';
  return [`--${part}/max_epochs`, epochs, `--${part}/warmup_epochs`, warmUp];
}

/** @returns a folder of objects by category, in `train/` and `val/` */
async function shapes(folder: string): Promise<string> {
  const classFolders = join(folder, 'by-category');
  const few = { train: 40, val: 10, seed: 0, size: 128, overwrite: false };
  await makeShapes({ ...few, out: join(folder, 'scenes'), classFolders });
  return classFolders;
}

function describe(name: string, { steps, compared, alone, difference }: Comparison): string {
  const unmatched = alone.length === 0 ? '' : `; only one side has ${alone.join(', ')}`;
  if (difference === undefined) return `${name}: ${steps} steps, equal in ${compared.join(', ')}${unmatched}`;
  const { step, name: figure, values } = difference;
  return `${name}: differs from step ${step} on: ${figure} ${values[0]} / ${values[1]}${unmatched}`;
}

await runTool({ help: HELP, options: OPTIONS }, main);
