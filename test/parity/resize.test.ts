/**
 * Images of detectors against Pillow, as Detectron2 makes them: 300 random shapes, both methods, and files in every
 * orientation. Needs a Python with Pillow 12 and numpy: `$SCRL_PYTHON`, else `python3`.
 */

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { RandomStream } from '../../src/core/rng.js';
import { loadResized } from '../../src/data/detection-loader.js';
import { probeImage } from '../../src/image/probe.js';
import { pattern, picture } from '../image/pictures.js';
import { bilinearDigest, digest, nearestDigest, type ResizeCase } from '../image/resized.js';

const SCRIPT = fileURLToPath(new URL('./python/resize.py', import.meta.url));
const COUNT = 300;

function randomCase(index: number): ResizeCase {
  const random = new RandomStream(1, 'resize', 0, index);
  const side = (): number => random.integer(1, index % 10 === 0 ? 900 : 90);
  return [[side(), side()], [side(), side()], index];
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scrl-parity-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function pillow(input: object): Promise<unknown> {
  await writeFile(join(folder, 'in.json'), JSON.stringify({ noise: [], files: [], size: [1, 1], ...input }));
  await promisify(execFile)(process.env.SCRL_PYTHON ?? 'python3', [SCRIPT, folder]);
  return JSON.parse(await readFile(join(folder, 'out.json'), 'utf8'));
}

it('every byte of resized noise is equal', async () => {
  const noise = Array.from({ length: COUNT }, (_, i) => randomCase(i));
  const found = noise.map((item) => [bilinearDigest(item), nearestDigest(item)]);
  expect(await pillow({ noise })).toEqual({ noise: found, files: [] });
});

it('every byte of files is equal, decoded, turned upright and resized', async () => {
  const names: string[] = [];
  for (let orientation = 1; orientation <= 8; orientation++) {
    const turned = picture(pattern(83, 61, orientation)).withMetadata({ orientation });
    names.push(`${orientation}.jpg`, `${orientation}.png`);
    await turned
      .clone()
      .jpeg({ quality: 80 })
      .toFile(join(folder, `${orientation}.jpg`));
    await turned
      .clone()
      .png()
      .toFile(join(folder, `${orientation}.png`));
  }
  const [width, height] = [97, 40];
  const found: string[] = [];
  for (const name of names) {
    const path = join(folder, name);
    const image = await loadResized(path, await probeImage(path), { to: { width, height }, flipped: false });
    found.push(digest(image.data));
  }
  expect(await pillow({ files: names, size: [width, height] })).toEqual({ noise: [], files: found });
});
