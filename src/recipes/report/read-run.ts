/** A run folder as it lies there: what kind of run, its settings and metrics, how far it came. Nothing in it is trusted. */

import { readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { lastCheckpointPath } from '../../checkpoint/checkpointer.js';
import { parseYaml } from '../../config/yaml-document.js';
import { UserError } from '../../core/errors.js';
import { namesIn } from '../../core/fs.js';
import { isHere, lives, readOwner } from '../../core/process.js';

export type RunKind = 'pretraining' | 'linear evaluation' | 'detector';

export interface RunRecord {
  readonly folder: string;
  readonly name: string;
  readonly kind: RunKind;
  /** Of the YAML file that it came from. */
  readonly recipe: string;
  /** By path, as JSON. */
  readonly settings: ReadonlyMap<string, string>;
  /** One for each step. */
  readonly metrics: readonly Readonly<Record<string, number>>[];
  readonly state: 'running' | 'finished' | 'stopped';
  /** Steps that were done. */
  readonly steps: number;
  /** When a checkpoint or a metric was last written, milliseconds. */
  readonly changed: number;
  /** What could not be read. */
  readonly remarks: readonly string[];
}

/** @throws UserError when it is no run folder */
export async function readRun(folder: string): Promise<RunRecord> {
  const names = await namesIn(folder);
  if (!names.includes('config.yaml') || !names.includes('metrics.jsonl')) {
    throw new UserError('is no run folder: there is no config.yaml with a metrics.jsonl in it', {
      where: folder,
      remedy: 'name a folder that scrl pretrain, linear or detect train made',
    });
  }
  const remarks: string[] = [];
  const metrics = parseMetrics(await readFile(join(folder, 'metrics.jsonl'), 'utf8'), remarks);
  const path = join(folder, 'config.yaml');
  const settings = new Map(flatten(parseYaml(await readFile(path, 'utf8'), path).value));
  const kind = kindOf(settings, metrics);
  const steps = (metrics.at(-1)?.step ?? -1) + 1;
  const original = names.find((name) => /^original_.*\.ya?ml$/.test(name));
  return {
    folder,
    name: basename(folder),
    kind,
    recipe: original?.replace(/^original_|\.ya?ml$/g, '') ?? 'no recipe',
    settings,
    metrics,
    steps,
    state: await stateOf(folder, names, kind, settings, steps),
    changed: (await stat(join(folder, 'metrics.jsonl'))).mtimeMs,
    remarks,
  };
}

function parseMetrics(text: string, remarks: string[]): Record<string, number>[] {
  let broken = 0;
  const rows = text.split('\n').flatMap((line) => {
    if (line === '') return [];
    try {
      const row = JSON.parse(line) as Record<string, unknown>;
      return [
        Object.fromEntries(
          Object.entries(row).filter((entry): entry is [string, number] => typeof entry[1] === 'number'),
        ),
      ];
    } catch {
      broken++;
      return [];
    }
  });
  if (broken > 0) remarks.push(`${broken} lines of metrics.jsonl cannot be read and were left out`);
  return rows;
}

function* flatten(node: unknown, path = ''): Generator<[string, string]> {
  if (typeof node === 'object' && node !== null && !Array.isArray(node)) {
    for (const [key, value] of Object.entries(node))
      yield* flatten(value, path === '' ? key : `${path}/${key}`);
  } else yield [path, JSON.stringify(node)];
}

function kindOf(settings: ReadonlyMap<string, string>, metrics: readonly Record<string, number>[]): RunKind {
  if (settings.has('model/rpn/anchor_sizes')) return 'detector';
  return metrics.some(({ spread }) => spread !== undefined) ? 'pretraining' : 'linear evaluation';
}

async function stateOf(
  folder: string,
  names: readonly string[],
  kind: RunKind,
  settings: ReadonlyMap<string, string>,
  steps: number,
): Promise<RunRecord['state']> {
  const owner = readOwner(await readFile(join(folder, 'run.lock'), 'utf8').catch(() => ''));
  if (owner !== undefined && (!isHere(owner) || (await lives(owner)))) return 'running';
  if (kind === 'linear evaluation') return names.includes('results.json') ? 'finished' : 'stopped';
  const last = await lastCheckpointPath(folder).then(basename, () => '');
  const end = kind === 'detector' ? String(steps) : (settings.get('train/max_epochs') ?? '');
  return last === `checkpoint_${end}.pth` ? 'finished' : 'stopped';
}

/** The figure that a run is judged by: its best, with its name; undefined when nothing was measured. */
export function bestFigure({
  kind,
  metrics,
}: Pick<RunRecord, 'kind' | 'metrics'>): { name: string; value: number } | undefined {
  const names = {
    pretraining: ['val_top1', 'knn_20'],
    'linear evaluation': ['val_top1'],
    detector: ['bbox/AP'],
  }[kind];
  for (const name of names) {
    const values = metrics.map((row) => row[name]).filter((value) => value !== undefined);
    if (values.length > 0) return { name, value: values.reduce((a, b) => Math.max(a, b)) };
  }
  return undefined;
}
