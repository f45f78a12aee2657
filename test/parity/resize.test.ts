/** Resizing against Pillow: 300 random shapes, both methods. Needs a Python with Pillow 12 and numpy: `$SCRL_PYTHON`, else `python3`. */

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { RandomStream } from '../../src/core/rng.js';
import { bilinearDigest, nearestDigest, type ResizeCase } from '../image/resized.js';

const SCRIPT = fileURLToPath(new URL('./python/resize.py', import.meta.url));
const COUNT = 300;

function randomCase(index: number): ResizeCase {
  const random = new RandomStream(1, 'resize', 0, index);
  const side = (): number => random.integer(1, index % 10 === 0 ? 900 : 90);
  return [[side(), side()], [side(), side()], index];
}

it('every byte is equal', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'scrl-parity-'));
  try {
    const cases = Array.from({ length: COUNT }, (_, i) => randomCase(i));
    await writeFile(join(folder, 'in.json'), JSON.stringify(cases));
    await promisify(execFile)(process.env.SCRL_PYTHON ?? 'python3', [SCRIPT, folder]);
    const expected = JSON.parse(await readFile(join(folder, 'out.json'), 'utf8'));
    expect(cases.map((item) => [bilinearDigest(item), nearestDigest(item)])).toEqual(expected);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
