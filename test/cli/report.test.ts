/** Pages about runs, and the list of runs, from run folders as they lie on a disk: whole, stopped, damaged. */

import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { runCli } from '../helpers/cli.js';
import { temporaryFolder } from '../image/pictures.js';

const folder = await temporaryFolder();
const at = (...names: string[]) => join(folder, ...names);
const run = (...args: string[]) => runCli(folder, args);

function writeRun(
  name: string,
  config: string,
  rows: readonly object[],
  files: Record<string, string> = {},
): void {
  mkdirSync(at('runs', name), { recursive: true });
  const all = {
    'config.yaml': config,
    'metrics.jsonl': rows.map((row) => `${JSON.stringify(row)}\n`).join(''),
    ...files,
  };
  for (const [file, text] of Object.entries(all)) writeFileSync(at('runs', name, file), text);
}

const steps = (count: number, row: (step: number) => object) =>
  Array.from({ length: count }, (_, step) => ({ step, step_s: 1, wait_s: 0, ...row(step) }));

beforeAll(() => {
  const config = (seed: number) => `seed: ${seed}\ntrain: { max_epochs: 4, optim: { lr: ${seed + 1} } }\n`;
  writeRun(
    'good',
    config(0),
    steps(100, (step) => ({ loss: 4 / (step + 1), spread: 0.7, ...(step === 99 && { val_top1: 31.25 }) })),
    {
      'original_my <b>recipe.yaml': '',
      'checkpoint_4.pth': '',
      'checkpoint_last.pth': '',
    },
  );
  writeRun(
    'collapsed',
    config(1),
    steps(50, (step) => ({ loss: 3, spread: step < 20 ? 0.5 : 0.01, wait_s: 1 })),
  );
  appendFileSync(at('runs/collapsed/metrics.jsonl'), '{"step":50,"lo');
  writeRun(
    'detector',
    'seed: 0\nmodel: { rpn: { anchor_sizes: [8] } }\n',
    steps(5, (step) => ({ loss: 5 - step, 'bbox/AP': 10 + step, 'bbox/AP-cat': 1 })),
  );
  mkdirSync(at('runs/other'));
});

it('lists runs with what they are, how far and how good', async () => {
  const { out } = await run('runs', '--json');
  const found = Object.fromEntries(JSON.parse(out).map((entry: { folder: string }) => [entry.folder, entry]));
  expect(Object.keys(found).sort()).toEqual(['runs/collapsed', 'runs/detector', 'runs/good']);
  expect(found['runs/good']).toMatchObject({
    kind: 'pretraining',
    steps: 100,
    best: { name: 'val_top1', value: 31.25 },
  });
  expect(found['runs/detector']).toMatchObject({
    kind: 'detector',
    steps: 5,
    best: { name: 'bbox/AP', value: 14 },
  });
  expect((await run('runs')).out).toMatch(/^runs\/collapsed +pretraining +no recipe +stopped +50 +- /m);
});

it('writes a page of its own, which says in words what the curves say', async () => {
  const { code, out } = await run('report', 'runs/good');
  expect([code, out]).toEqual([0, `${at('runs/good/report.html')}\n`]);
  const page = readFileSync(at('runs/good/report.html'), 'utf8');
  expect(page).toMatch(/<li class="good">loss fell: 1.8\d to 0.04\d+ over 100 steps/);
  expect(page).toMatch('spread of the outputs 0.70 at the end');
  expect(page).toMatch('my &lt;b&gt;recipe');
  expect(page).not.toMatch(/<script|https?:\/\/(?!www.w3.org)/);
  await run('report', 'runs/collapsed', '--out', 'c.html');
  const collapsed = readFileSync(at('c.html'), 'utf8');
  expect(collapsed).toMatch('the outputs collapsed: their spread fell below 0.1 at step 20');
  expect(collapsed).toMatch('loss did not fall');
  expect(collapsed).toMatch('1 lines of metrics.jsonl cannot be read');
  expect(collapsed).toMatch('50 % of the time was spent waiting');
  expect(collapsed).toMatch(/scrl pretrain --resume \S*runs\/collapsed/);
});

it('compares several, curve by curve and in the settings that differ', async () => {
  await run('report', 'runs/good', 'runs/collapsed', '--out', 'both.html');
  const page = readFileSync(at('both.html'), 'utf8');
  expect(page).toMatch('<h1>2 runs of pretraining compared</h1>');
  expect(page.match(/<tr><td>train\/optim\/lr<\/td><td>1<\/td><td>2<\/td><\/tr>/)).not.toBeNull();
  expect(page).not.toMatch('train/max_epochs');
});

it.each([
  [['report', 'runs/other'], /other: is no run folder/],
  [['report', 'nowhere'], /nowhere: is no run folder/],
  [['report', 'runs/good', 'runs/detector'], /runs of several kinds are not compared: pretraining, detector/],
  [['runs', 'runs/other'], /there are no runs in it/],
])('refuses %j', async (args, message) => {
  const { code, err } = await run(...args);
  expect(err).toMatch(message);
  expect(code).toBe(2);
});
