/** A results table from beginning to end, in miniature: stopped, gone on with, extended. */

import type { ChildProcess } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeShapes } from '../../tools/shapes/write.js';
import { runCli, startCli } from '../helpers/cli.js';
import { writeClasses } from '../helpers/pictures.js';

let folder: string;
let args: string[];

const cells = () => readdirSync(join(folder, 'table', 'cells')).sort();
const json = () => JSON.parse(readFileSync(join(folder, 'table', 'results.json'), 'utf8'));

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scrl-table-'));
  await makeShapes({ out: join(folder, 'data'), train: 6, val: 3, seed: 1, size: 96, overwrite: false });
  await writeClasses(join(folder, 'classes'), 'train', ['bus', 'car'], 4);
  await writeClasses(join(folder, 'classes'), 'val', ['bus', 'car'], 2);
  const tiny =
    'augment/input_size=32, train/batch_size_train=4, train/max_epochs=2, train/warmup_epochs=0, train/valid_interval=2, train/online_eval=true, eval/batch_size_train=4, eval/max_epochs=1, eval/warmup_epochs=0';
  writeFileSync(
    join(folder, 'plan.yaml'),
    `out: table
rows: [random, scrl]
columns: [linear_online, linear_offline, faster]
data: { pretrain: classes, classes: classes, train: { images: data/train, annotations: data/annotations/instances_train.json }, val: { images: data/val, annotations: data/annotations/instances_val.json } }
pretrain: { recipe: quickstart, set: [${tiny}, train/snapshot_interval=1] }
linear: { recipe: quickstart, set: [${tiny}], fast: true, rates: [1, 10], held_out: 0.25 }
faster: { recipe: quickstart, set: [train/max_steps=2, 'train/steps_at=[]', train/warmup_steps=0, train/batch_size=2, train/reference_batch=2, train/eval_steps=0] }
bootstrap: 3
`,
  );
  args = ['reproduce', '--plan', 'plan.yaml'];
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it('says what data are missing before anything begins', async () => {
  const { code, err } = await runCli(folder, ['reproduce', '--plan', 'hour', '--out', 'nothing']);
  expect([code, err]).toEqual([2, expect.stringMatching(/data\/pretrain: is not given/)]);
  expect(readdirSync(folder)).not.toContain('nothing');
  for (const [given, message] of [
    [['--data/train/annotations', 'none.json'], /none.json: data\/train\/annotations: there is no such file/],
    [
      ['--faster/set', 'train/foo=3'],
      /train\/foo: is not a known setting[\s\S]*the plan sets it: see faster\/set/,
    ],
    [['--pretrain/recipe', 'mine'], /pretrain\/recipe: is neither a file nor the name of a recipe/],
    [['--rows', 'own=none.pth'], /none.pth: no such file/],
  ] as const) {
    const refused = await runCli(folder, [...args, ...given, '--out', 'nothing']);
    expect(refused.err).toMatch(message);
    expect(refused.code).toBe(2);
  }
});

it('goes on after a kill, computes what is missing, and nothing twice', async () => {
  const { child, ended } = startCli(folder, args);
  await secondCell(child);
  child.kill('SIGKILL');
  expect((await ended).code).toBe(null);
  const { code, out, err } = await runCli(folder, args);
  expect(err).not.toMatch('failed');
  expect(code).toBe(0);
  expect(out).toMatch(/^\| scrl \| [\d.]+ \(1\) \| [\d.]+ \(1\) \| [\d.]+ \(1\) \|$/m);
  expect(cells()).toHaveLength(5);
  const before = json();
  expect(before.missing).toEqual([]);

  const again = await runCli(folder, args);
  expect(again.err).toMatch('5 cells, 5 of them done');
  expect(json()).toEqual(before);
});

it('computes only the cells of another seed, and lists them first', async () => {
  const dry = await runCli(folder, [
    ...args,
    '--seeds',
    '0,1',
    '--columns',
    'linear_offline',
    '--rows',
    'random',
    '--dry-run',
  ]);
  expect(dry.out).toMatch(/random-seed0-linear +done/);
  expect(dry.out).toMatch(/random-seed1-linear +to do +[\d.]+ m?s/);
  const { err } = await runCli(folder, [
    ...args,
    '--seeds',
    '0,1',
    '--columns',
    'linear_offline',
    '--rows',
    'random',
  ]);
  expect(err).toMatch('2 cells, 1 of them done');
  expect(cells()).toHaveLength(6);
});

it('does not mix in cells of another protocol', async () => {
  const { err } = await runCli(folder, [
    ...args,
    '--columns',
    'faster',
    '--rows',
    'random',
    '--faster/set',
    'train/max_steps=1',
  ]);
  expect(err).toMatch('1 cells, 0 of them done');
  expect(cells()).toHaveLength(7);
});

it('names a cell that fails, and goes on with the others', async () => {
  const [spoilt] = cells().filter((name) => name.startsWith('random-seed1-linear'));
  rmSync(join(folder, 'table', 'cells', spoilt), { recursive: true });
  writeFileSync(join(folder, 'table', 'cells', spoilt), 'a file where a folder should be');
  const { code, out, err } = await runCli(folder, [
    ...args,
    '--seeds',
    '1,0',
    '--columns',
    'linear_offline',
    '--rows',
    'random',
  ]);
  expect(code).toBe(1);
  expect(err).toMatch(/random-seed1-linear failed, the others go on/);
  expect(out).toMatch(/Not there:\n\n- random-seed1-linear: /);
  expect(out).toMatch(/\| random \| [\d.]+ \(1\) \|/);
});

/** Waits until the second cell has begun, or the process has ended. */
async function secondCell(child: ChildProcess): Promise<void> {
  const cellsFolder = join(folder, 'table', 'cells');
  while (child.exitCode === null && !(existsSync(cellsFolder) && cells().length > 1)) await sleep(20);
}
