/** `scrl detect` as users run it. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { annotation, writeAnnotations, writeImages } from '../data/detection-data.js';
import { runCli } from '../helpers/cli.js';
import { temporaryFolder } from '../image/pictures.js';

const folder = await temporaryFolder();
process.env.SCRL_HOME = join(folder, 'home');

beforeAll(async () => {
  const images = await writeImages(folder, [
    [500, 400],
    [400, 500],
    [480, 480],
  ]);
  const annotations = [
    annotation(1, 0, [50, 60, 200, 150]),
    annotation(2, 1, [10, 10, 300, 300]),
    annotation(3, 2, [100, 100, 99, 99]),
    annotation(4, 2, [300, 300, 150, 150], { iscrowd: 1 }),
  ];
  writeAnnotations(folder, { images, annotations, categories: [{ id: 3, name: 'cat' }] });
  writeAnnotations(join(folder, 'faulty'), {
    images,
    annotations: [...annotations, { ...annotations[0], bbox: [9, 9, 0, 9] }],
    categories: [],
  });
});

const preview = (...args: string[]) =>
  runCli(folder, ['detect', 'preview', '--config', 'one_machine', ...args]);
const DATA = ['--dataset/train/images', 'images', '--dataset/train/annotations', 'annotations.json'];

describe('detect preview', () => {
  it('writes a picture of as many images as asked for, the same one every time', async () => {
    const { code, err } = await preview(...DATA, '--model/masks', 'true', '--count', '4', '--out', 'a.png');
    expect(err).toMatch('annotations.json: 3 images, 4 objects, 1 class\n');
    expect(err).toMatch('a.png: 4 images as the detector sees them, of steps 0 to 1; crowds in grey');
    expect(code).toBe(0);
    const { width = 0, height = 0 } = await sharp(join(folder, 'a.png')).metadata();
    expect([width, height].every((side) => side > 500)).toBe(true);
    await preview(
      ...DATA,
      '--model/masks',
      'true',
      '--count',
      '4',
      '--out',
      'b.png',
      '--train/num_workers',
      '1',
    );
    expect(readFileSync(join(folder, 'b.png')).equals(readFileSync(join(folder, 'a.png')))).toBe(true);
  });

  it('shows a later step', async () => {
    const { err } = await preview(...DATA, '--step', '7', '--count', '2', '--out', 'c.png');
    expect(err).toMatch('c.png: 2 images as the detector sees them, of step 7;');
  });

  it('says what is missing or wrong', async () => {
    expect(await preview()).toMatchObject({
      code: 2,
      err: expect.stringMatching('dataset/train/images: is not set'),
    });
    const faulty = await preview(...DATA.slice(0, 3), 'faulty/annotations.json');
    expect(faulty.code).toBe(2);
    expect(faulty.err).toMatch('there are no categories');
    expect(faulty.err).toMatch('annotation 1 of image 0 (0.jpg)');
    expect((await preview(...DATA, '--count', '65')).err).toMatch('must be a whole number from 1 to 64');
    const { code, err } = await runCli(folder, ['detect', 'preveiw']);
    expect([code, err]).toEqual([2, expect.stringMatching('did you mean preview?')]);
  });
});
