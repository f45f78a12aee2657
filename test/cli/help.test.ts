/** What scrl says of itself: help in two layers, completion, and names that people bring from other toolkits. */

import { symlinkSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { completions } from '../../src/cli/completion.js';
import { DETECT } from '../../src/config/schemas/detect.js';
import { PRETRAIN } from '../../src/config/schemas/pretrain.js';
import { RESULTS } from '../../src/config/schemas/results.js';
import { collect, startProcess } from '../helpers/child-processes.js';
import { CLI, runCli } from '../helpers/cli.js';

const run = (...args: string[]) => runCli(tmpdir(), args);
/** The options that a help lists. */
const optionsIn = (help: string): string[] =>
  [...help.matchAll(/^ +(?:-\w, )?--(\S+) {2}/gm)].map(([, name]) => name);

describe('help', () => {
  it.each([
    ['pretrain', PRETRAIN, 15],
    ['preview', PRETRAIN, 15],
    ['linear', PRETRAIN, 15],
    ['config show', PRETRAIN, 15],
    ['detect train', DETECT, 18],
    ['detect preview', DETECT, 15],
    ['reproduce', RESULTS, 15],
  ])(
    '%s: a dozen options of the configuration, and all with --help-config',
    async (command, schema, most) => {
      const words = command.split(' ');
      const few = optionsIn((await run(...words, '--help')).out);
      const shown = [...schema.leaves.keys()].filter((path) => few.includes(path));
      expect(shown.length).toBeLessThanOrEqual(most);
      expect(few).toContain('help-config');

      const { code, out } = await run(...words, '--help-config');
      expect(code).toBe(0);
      expect([...schema.leaves.keys()].filter((path) => !optionsIn(out).includes(path))).toEqual([]);
    },
  );

  it('says type, range or choices, and default', async () => {
    const { out } = await run('pretrain', '--help');
    const text = out.replaceAll(/\s+/g, ' ');
    expect(text).toContain('images per step and process [integer of at least 1] [default: 256]');
    expect(text).toContain('[one of resnet18, resnet34, resnet50, resnet101] [default: resnet50]');
    expect(text).toContain('--dataset/root folder of the images [text]');
    expect(text).toContain('A default counts where the recipe says nothing.');
    const { out: all } = await run('detect', 'train', '--help-config');
    expect(all.replaceAll(/\s+/g, ' ')).toMatch(
      /--model\/rpn\/anchor_sizes .*? \[list of integers, each of at least 1\] \[default: 32,64,128,256,512\]/,
    );
  });

  it.each([
    [[], /^scrl <command>.*scrl pretrain {2,}.*\nerror: which command\?\n {2}see: scrl --help\n$/s],
    [
      ['detect'],
      /^scrl detect.*scrl detect train {2,}.*\nerror: which command\?\n {2}see: scrl detect --help\n$/s,
    ],
  ])('%j prints the help, and asks for a command', async (args, text) => {
    expect(await run(...args)).toEqual({ code: 2, out: '', err: expect.stringMatching(text) });
  });
});

describe('names of other toolkits', () => {
  it.each([
    ['pretrain', '--epochs', '--train/max_epochs'],
    ['pretrain', '--data', '--dataset/root'],
    ['pretrain', '--batch', '--train/batch_size_train'],
    ['pretrain', '--max_epochs', '--train/max_epochs'],
    ['pretrain', '--lr', '--train/optim/lr'],
    ['pretrain', '--imgsz', '--augment/input_size'],
    ['linear', '--lr', '--eval/optim/lr'],
    ['linear', '--epochs', '--eval/max_epochs'],
    ['linear', '--batch_size', '--eval/batch_size_train'],
    ['detect train', '--epochs', '--train/max_steps'],
    ['detect train', '--batch-size', '--train/batch_size'],
    ['detect train', '--lr0', '--train/lr'],
    ['detect train', '--data', '--dataset/train/annotations'],
    ['detect train', '--config-file', '--config'],
    ['detect predict photos', '--conf', '--threshold'],
    ['knn', '--imgsz', '--size'],
  ])('%s %s', async (command, theirs, ours) => {
    const { code, err } = await run(
      ...command.split(' '),
      '--config',
      'one_machine',
      '--weights',
      'x',
      theirs,
      '1',
    );
    expect(err).toMatch(`  ${theirs}: did you mean ${ours}?\n`);
    expect(code).toBe(2);
  });

  it.each(['--gpus', '--num-gpus', '--nproc_per_node'])('%s: there is one device', async (name) => {
    const { code, err } = await run('detect', 'train', '--config', 'one_machine', name, '8');
    expect(err).toContain(`${name}: scrl runs on one device; --engine/device gpu asks for a GPU`);
    expect(code).toBe(2);
  });

  it.each([
    [['detect', 'train', 'epochs=3'], 'does not belong to `scrl detect train`: epochs=3'],
    [['pretrain', 'SOLVER.BASE_LR', '0.1'], 'does not belong to `scrl pretrain`: SOLVER.BASE_LR, 0.1'],
  ])('%j: options are written otherwise', async (args, problem) => {
    const { code, err } = await run(...args, '--config', 'one_machine');
    expect(err).toContain(problem);
    expect(err).toContain('options are written --KEY VALUE');
    expect(code).toBe(2);
  });

  it.each([
    [['pretrian'], 'error: pretrian is no command\n  did you mean pretrain? see: scrl --help\n'],
    [['train'], 'error: train is no command\n  did you mean pretrain, or detect train? see: scrl --help\n'],
    [['detect', 'xyz'], 'error: xyz is no command\n  see: scrl detect --help\n'],
    [['convert', 'a.pth'], 'error: 1 of 2 arguments: scrl convert <in> <out>\n  see: scrl convert --help\n'],
    [['detect', 'trian'], 'error: trian is no command\n  did you mean train? see: scrl detect --help\n'],
  ])('%j', async (args, err) => {
    expect(await run(...args)).toEqual({ code: 2, out: '', err });
  });
});

describe('completion', () => {
  it.each([
    [['pretrain', '--config', 'o'], ['one_machine']],
    [
      ['detect', 'train', '--config', 'mask_rcnn_R_50_FPN_1x_r'],
      ['1', '2'].map((n) => `mask_rcnn_R_50_FPN_1x_r${n}`),
    ],
    [['reproduce', '--plan', 'h'], ['hour']],
    [['pretrain', '--train/optim/l'], ['--train/optim/lr']],
    [
      ['linear', '--augment/blur', ''],
      ['resized', 'gaussian', 'none'],
    ],
    [['pretrain', '--eval/enabled', 'f'], ['false']],
    // Files, which the shell knows.
    [['pretrain', '--dataset/root', ''], []],
    [['detect', 'preview', '--input/f'], ['--input/flip']],
  ])('%j', (words, expected) => {
    expect(completions(words)).toEqual(expected);
  });

  it.each([[[]], [['pre']], [['pretrain', '--']], [['pretrain', '--overw']], [['knn', '--x/y']]])(
    'leaves %j to yargs',
    (words) => {
      expect(completions(words)).toBeUndefined();
    },
  );

  describe('in bash', () => {
    let folder: string;
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'scrl-bash-'));
      symlinkSync(CLI, join(folder, 'scrl'));
    });
    afterAll(() => rm(folder, { recursive: true, force: true }));

    it.each([
      [['pretr'], ['pretrain']],
      [['pretrain', '--dry'], ['--dry-run']],
      [['pretrain', '--network/scrl/min'], ['--network/scrl/min_size']],
      [['detect', 'train', '--config', 'quick'], ['quickstart']],
      [['engine', 'inst'], ['install']],
    ])('%j', async (words, expected) => {
      const script = `set -e; source <(scrl completion)
        COMP_WORDS=(scrl ${words.join(' ')}); COMP_CWORD=${words.length}
        _scrl_yargs_completions; printf '%s\\n' "\${COMPREPLY[@]}"`;
      const env = { ...process.env, SHELL: '/bin/bash', PATH: `${folder}${delimiter}${process.env.PATH}` };
      const child = startProcess('bash', ['-c', script], { env, stdio: ['ignore', 'pipe', 'pipe'] });
      expect(await collect(child).ended).toEqual({ code: 0, out: `${expected.join('\n')}\n`, err: '' });
    });
  });
});
