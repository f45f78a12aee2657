/** `scrl data check`: everything that is wrong with a folder or with annotations, by name, and what to train with. */

import { cpSync, mkdirSync, renameSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, expect, it } from 'vitest';
import type { DataReport } from '../../src/recipes/data-check/index.js';
import { annotation, writeAnnotations, writeImages } from '../data/detection-data.js';
import { runCli } from '../helpers/cli.js';
import { temporaryFolder, writeJpeg } from '../image/pictures.js';

const folder = await temporaryFolder();
process.env.SCRL_HOME = join(folder, 'home');
const at = (...names: string[]) => join(folder, ...names);

async function check(...args: string[]): Promise<{ code: number | null; report: DataReport }> {
  const { code, out, err } = await runCli(folder, ['data', 'check', ...args, '--json']);
  if (out === '') throw new Error(err);
  return { code, report: JSON.parse(out) };
}

const kinds = ({ findings }: DataReport) =>
  Object.fromEntries(findings.map(({ kind, count }) => [kind, count]));

beforeAll(async () => {
  for (let i = 0; i < 6; i++) await writeJpeg(at('good', i % 2 ? 'cat' : 'dog', `${i}.jpg`), 64, 48, i);
  cpSync(at('good'), at('bad'), { recursive: true });
  cpSync(at('bad/cat/1.jpg'), at('bad/dog/again.jpg'));
  cpSync(at('bad/dog/0.jpg'), at('bad/dog/copy.jpg'));
  renameSync(at('bad/cat/3.jpg'), at('bad/cat/3.png'));
  truncateSync(at('bad/cat/5.jpg'), 600);
  mkdirSync(at('bad/bird'));
  await writeJpeg(at('bad/bird/tiny.jpg'), 20, 64, 9);
  await sharp({ create: { width: 50, height: 50, channels: 3, background: '#123456' } })
    .jpeg()
    .toFile(at('bad/dog/flat.jpg'));
  await sharp(at('good/dog/2.jpg')).withMetadata({ orientation: 6 }).toFile(at('bad/dog/turned.jpg'));
  writeFileSync(at('bad/dog/empty.jpg'), '');
});

it('finds nothing in a sound folder, and says what to train with', async () => {
  const { code, report } = await check('good');
  expect([code, report.findings]).toEqual([0, []]);
  expect(report.facts[1]).toMatch(
    /2 classes; the largest is \w+ with 3 images \(always guessing it is right in 50.0 %\)/,
  );
  expect(report.advice.join('\n')).toMatch(
    'fewer than 32 images are no batch: add --train/batch_size_train 6',
  );
  expect(report.advice.join('\n')).toMatch('add --augment/input_size 64');
});

it('names every file that is odd', async () => {
  const { code, report } = await check('bad');
  expect(code).toBe(0);
  expect(kinds(report)).toEqual({
    unreadable: 1,
    damaged: 1,
    duplicates: 2,
    contradictions: 1,
    flat: 1,
    tiny: 1,
    misnamed: 1,
    turned: 1,
    lonely: 1,
  });
  const examples = Object.fromEntries(report.findings.map(({ kind, examples }) => [kind, examples[0]]));
  expect(examples.damaged).toMatch('cat/5.jpg: ');
  expect(examples.contradictions).toBe('cat/1.jpg = dog/again.jpg');
  expect(examples.misnamed).toBe('cat/3.png is jpeg');
  expect(examples.tiny).toBe('bird/tiny.jpg: 20x64');
  expect(examples.lonely).toBe('bird');
  const { out } = await runCli(folder, ['data', 'check', 'bad']);
  expect(out).toMatch(/^1 pictures of one colour\n {4}dog\/flat.jpg\n {2}-> look at some/m);
});

it('finds what training would refuse in annotations, and ends with 2', async () => {
  const images = await writeImages(at('coco'), [
    [200, 150],
    [150, 200],
  ]);
  const boxes = [
    annotation(1, 0, [10, 20, 100, 90]),
    annotation(2, 1, [5, 5, 0, 10]),
    annotation(3, 1, [0, 0, 20, 20]),
  ];
  const categories = [
    { id: 3, name: 'cat' },
    { id: 9, name: 'unicorn' },
  ];
  const json = writeAnnotations(at('coco'), { images, annotations: boxes, categories });
  const { code, report } = await check(json, '--images', at('coco', 'images'));
  expect(code).toBe(2);
  expect(kinds(report)).toMatchObject({ faults: 1, unused: 1 });
  expect(report.findings[0].examples.join(' ')).toMatch('annotation 2 of image 1');
  expect(report.facts.join('\n')).toMatch('2 objects of 2 classes');
  writeAnnotations(at('coco'), {
    images,
    annotations: [boxes[0], boxes[2]],
    categories: categories.slice(0, 1),
  });
  const mended = await check(json, '--images', at('coco', 'images'));
  expect([mended.code, mended.report.findings]).toEqual([0, []]);
});

it.each([
  [['nowhere'], 'nowhere: there is no such file or folder'],
  [['home'], /no image|no file|empty/i],
  [['bad', '--images', 'x'], '--images: goes with a file of annotations only'],
  [['bad/dog/flat.jpg'], 'is neither a folder of images nor a JSON file'],
  [[], '0 of 1 arguments: scrl data check <data>'],
])('refuses %j', async (args, message) => {
  mkdirSync(at('home'), { recursive: true });
  const { code, err } = await runCli(folder, ['data', 'check', ...args]);
  expect(err).toMatch(message);
  expect(code).toBe(2);
});
