/** Two commits of a tiny repository in place of ours, whose `scrl` writes the losses that its commit holds. */

import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { compareCommits } from '../../tools/loss-compare/compare.js';
import { type Comparison, compareCurves } from '../../tools/loss-compare/curves.js';

describe('curves', () => {
  it('are equal to the last bit or not', () => {
    const curve = [{ loss: 0.1, step_s: 1 }];
    expect(compareCurves(curve, [{ loss: 0.1, step_s: 2 }]).difference).toBeUndefined();
    const next = 0.1 + 2 ** -56;
    expect(compareCurves(curve, [{ loss: next, step_s: 1 }]).difference).toEqual({
      step: 0,
      name: 'loss',
      values: [0.1, next],
    });
  });

  it('differ where one ends, and in other figures than the loss', () => {
    const [a, b] = [{ loss: 1 }, { loss: 2 }];
    expect(compareCurves([a, b], [a]).difference).toEqual({ step: 1, name: 'loss', values: [2, undefined] });
    const [c, d] = [{ ...b, lr: 1 }].concat([{ ...b, lr: 2 }]);
    expect(compareCurves([a, c], [a, d]).difference).toMatchObject({ step: 1, name: 'lr' });
  });

  it('that have no loss in common are not compared; other figures of one side are named', () => {
    expect(() => compareCurves([{ loss: 1 }], [{ epoch: 1 }])).toThrow('have no `loss` in common');
    expect(compareCurves([{ loss: 1, acc: 1 }], [{ loss: 1, lr: 1 }])).toMatchObject({
      compared: ['loss'],
      alone: ['acc', 'lr'],
    });
  });
});

describe('commits', () => {
  const root = mkdtempSync(join(tmpdir(), 'scrl-loss-compare-'));
  afterAll(() => {
    vi.unstubAllEnvs();
    rmSync(root, { recursive: true, force: true });
  });

  const SCRL = `
    const { appendFileSync, mkdirSync, readFileSync } = require('node:fs');
    const args = process.argv.slice(2);
    const folder = args[args.indexOf('--save_dir') + 1];
    if (args[0] === 'fail') { console.error('no such command'); process.exit(2); }
    mkdirSync(folder, { recursive: true });
    for (const loss of JSON.parse(readFileSync(__dirname + '/losses.json')))
      appendFileSync(folder + '/metrics.jsonl', JSON.stringify({ loss }) + '\\n');`;

  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.org', ...args], {
      cwd: root,
      encoding: 'utf8',
    });
  const commit = (losses: number[], tag: string) => {
    writeFileSync(join(root, 'losses.json'), JSON.stringify(losses));
    git('add', '.');
    git('commit', '--quiet', '--allow-empty', '-m', tag);
    git('tag', tag);
  };

  beforeAll(() => {
    mkdirSync(join(root, 'tmp'));
    vi.stubEnv('TMPDIR', join(root, 'tmp'));
    git('init', '--quiet');
    const scripts = { build: "node -e \"fs.copyFileSync('scrl.cjs', 'built.cjs')\"" };
    writeFileSync(join(root, 'package.json'), JSON.stringify({ bin: { scrl: 'built.cjs' }, scripts }));
    writeFileSync(join(root, 'package-lock.json'), '{}');
    writeFileSync(join(root, '.gitignore'), 'built.cjs\nnode_modules\ntmp\n');
    writeFileSync(join(root, 'scrl.cjs'), SCRL);
    commit([3, 2, 1], 'before');
    commit([3, 2, 1], 'same');
    commit([3, 2.5, 1], 'other');
  });

  async function compare(first: string, second?: string, command = 'pretrain') {
    const found: [string, Comparison][] = [];
    const isEqual = await compareCommits({
      root,
      revisions: [first, second],
      trainings: [{ name: 'a training', args: () => [command] }],
      onCompared: (...comparison) => found.push(comparison),
    });
    return { isEqual, found };
  }
  const leftBehind = () => [
    ...readdirSync(join(root, 'tmp')),
    ...git('worktree', 'list').trim().split('\n').slice(1),
  ];

  it('with equal losses are equal', async () => {
    const { isEqual, found } = await compare('before', 'same');
    expect(isEqual).toBe(true);
    expect(found).toEqual([['a training', { steps: 3, compared: ['loss'], alone: [] }]]);
    expect(leftBehind()).toEqual([]);
  });

  it('differ at the first step that differs', async () => {
    const { isEqual, found } = await compare('before', 'other');
    expect(isEqual).toBe(false);
    expect(found[0][1].difference).toEqual({ step: 1, name: 'loss', values: [2, 2.5] });
  });

  it('are compared with the working tree, which stays as it is', async () => {
    writeFileSync(join(root, 'losses.json'), '[3,2,1,0]');
    expect((await compare('same')).found[0][1].difference).toMatchObject({ step: 3 });
    expect(readFileSync(join(root, 'losses.json'), 'utf8')).toBe('[3,2,1,0]');
    expect(existsSync(join(root, 'built.cjs'))).toBe(true);
  });

  it.each([
    ['nothing', 'pretrain', /^nothing: no such commit/],
    ['before', 'fail', /before: scrl fail failed\nno such command/],
  ])(
    '%s, scrl %s: what went wrong is said, and nothing is left behind',
    async (revision, command, message) => {
      await expect(compare(revision, 'same', command)).rejects.toThrow(message);
      expect(leftBehind()).toEqual([]);
    },
  );
});
