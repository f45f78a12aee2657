/** `scrl coco-eval` as users run it. */

import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { COCO, COCOeval } from '../../src/pycocotools/index.js';
import { runCli, startCli } from '../helpers/cli.js';
import { randomCase } from '../pycocotools/random-dataset.js';

let folder: string;
const { dataset, results } = randomCase(21, { images: 40, categories: 5, objects: 8, detections: 60 });
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scrl-cli-'));
  writeFileSync(join(folder, 'gt.json'), JSON.stringify(dataset));
  writeFileSync(join(folder, 'bbox.json'), JSON.stringify(results.bbox));
  writeFileSync(join(folder, 'segm.json'), JSON.stringify(results.segm));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const run = (...args: string[]) => runCli(folder, ['coco-eval', '--gt', 'gt.json', ...args]);

function expected(type: 'bbox' | 'segm') {
  const coco = new COCO(dataset);
  const evaluation = new COCOeval(coco, coco.loadRes(results[type]), type);
  evaluation.evaluate();
  evaluation.accumulate();
  return { table: evaluation.summarize(), stats: evaluation.stats };
}

it("prints pycocotools' table", async () => {
  const args = ['coco-eval', '--gt', 'gt.json', '--dt', 'bbox.json'];
  const { code, out, err } = await startCli(folder, args).ended;
  expect({ code, err }).toEqual({
    code: 0,
    err: 'warning: 38 of 1242 results are not evaluated: the ground truth has no category 999\n',
  });
  expect(out).toBe(`${expected('bbox').table}\n`);
});

it.each(['1', '2', '5'])('gives the same figures with %s threads', async (threads) => {
  for (const type of ['bbox', 'segm'] as const) {
    const { code, out } = await run('--dt', `${type}.json`, '--type', type, '--json', '--threads', threads);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ type, stats: expected(type).stats, threads: Number(threads) });
  }
});

it('takes names for ids of images, each thread meeting them in another order', async () => {
  const named = <T extends { image_id: unknown }>(entries: readonly T[]) =>
    entries.map((entry) => ({ ...entry, image_id: `photo ${entry.image_id}` }));
  const truth = {
    ...dataset,
    images: dataset.images?.map((image) => ({ ...image, id: `photo ${image.id}` })),
    annotations: named(dataset.annotations ?? []),
  };
  writeFileSync(join(folder, 'named-gt.json'), JSON.stringify(truth));
  writeFileSync(join(folder, 'named-dt.json'), JSON.stringify(named(results.bbox)));
  const args = ['coco-eval', '--gt', 'named-gt.json', '--dt', 'named-dt.json', '--json', '--threads', '3'];
  const { code, out } = await startCli(folder, args).ended;
  expect(code).toBe(0);
  expect(JSON.parse(out).stats).toEqual(expected('bbox').stats);
});

it('is not misled by text that looks like the end of an entry', async () => {
  // Wherever the file is cut for the threads, the cut seems to be within this text.
  const trap = '"},{"'.repeat(50);
  const entries = results.bbox.map((entry) => ({ note: trap, nested: [{ a: 1 }, { b: 2 }], ...entry }));
  writeFileSync(join(folder, 'trap.json'), JSON.stringify(entries));
  const { code, out } = await run('--dt', 'trap.json', '--json', '--threads', '4');
  expect(code).toBe(0);
  expect(JSON.parse(out).stats).toEqual(expected('bbox').stats);
});

it('is a library that other programs import', async () => {
  const program = `
    import { COCO, COCOeval } from 'scrl-detect/pycocotools';
    const coco = COCO.open(process.argv[1]);
    const evaluation = new COCOeval(coco, coco.loadRes(process.argv[2]), 'bbox');
    evaluation.evaluate();
    evaluation.accumulate();
    console.log(evaluation.summarize());`;
  const files = ['gt.json', 'bbox.json'].map((name) => join(folder, name));
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--input-type=module', '-e', program, ...files],
    {
      cwd: join(import.meta.dirname, '../..'),
    },
  );
  expect(stdout).toBe(`${expected('bbox').table}\n`);
});

it('writes a report, and does not write over one', async () => {
  const first = await run('--dt', 'bbox.json', '--per-category', '--out', 'report');
  expect(first.code).toBe(0);
  expect(first.out).toContain('category 0');
  expect(readdirSync(join(folder, 'report')).sort()).toEqual(['categories.csv', 'curves.csv', 'report.html']);
  const html = readFileSync(join(folder, 'report', 'report.html'), 'utf8');
  expect(html.match(/<svg/g)).toHaveLength(6);
  expect(html).not.toMatch(/(src|href)="http/);
  const [header, ...rows] = readFileSync(join(folder, 'report', 'categories.csv'), 'utf8')
    .trim()
    .split('\n');
  expect(header).toBe('id,category,objects,results,AP,AP50,AP75,APs,APm,APl,AR@1,AR@10,AR@100,ARs,ARm,ARl');
  expect(rows).toHaveLength(5);
  const second = await run('--dt', 'segm.json', '--type', 'segm', '--out', 'report');
  expect(second.code).toBe(2);
  expect(second.err).toContain('report: the folder is not empty');
  expect(readFileSync(join(folder, 'report', 'report.html'), 'utf8')).toBe(html);
  expect((await run('--dt', 'segm.json', '--type', 'segm', '--out', 'report', '--overwrite')).code).toBe(0);
  expect(readFileSync(join(folder, 'report', 'report.html'), 'utf8')).not.toBe(html);
});

it('takes three numbers of results, and counts by LVIS only what is LVIS', async () => {
  const { code, out } = await run(
    '--dt',
    'bbox.json',
    '--max-dets',
    '1,5,20',
    '--corrections',
    'maxDets',
    '--json',
  );
  expect(code).toBe(0);
  expect(JSON.parse(out).stats[0]).toBeGreaterThan(0);
  const lvis = await run('--dt', 'bbox.json', '--lvis');
  expect(lvis.code).toBe(2);
  expect(lvis.err).toContain('category 1 needs one of r, c, f');
});

it.each([
  [['--dt', 'none.json'], 'none.json: cannot be read'],
  [['--dt', 'gt.json'], 'gt.json, byte 0: expected a list of results'],
  [['--dt', 'bbox.json', '--type', 'keypoints'], 'keypoints: annotation 1 needs [x, y, v] of 17 keypoints'],
  [['--dt', 'bbox.json', '--threads', '0'], '--threads: must be a whole number from 1 to 64 (found "0")'],
  [['--dt', 'bbox.json', '--max-dets', '10,1,100'], '--max-dets: must be three ascending numbers'],
  [['--dt', 'bbox.json', '--corrections', 'idzero'], '--corrections: must be all, or some of idZero'],
  [['--dt', 'bbox.json', '--tpye', 'segm'], 'did you mean --type?'],
])('%j is refused', async (args, problem) => {
  const { code, out, err } = await run(...args);
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toContain(problem);
});
