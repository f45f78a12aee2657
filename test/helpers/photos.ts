/** Small pictures of two kinds that any network tells apart, for tests of whole commands. */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { RandomStream } from '../../src/core/rng.js';
import { encodeJpeg } from '../../src/image/encode.js';

/** Coarse red stripes, or fine green ones; shifted and noisy, so that no two are equal. */
export async function writePhoto(
  path: string,
  kind: 'coarse' | 'fine',
  seed: number,
  width = 96,
  height = 80,
): Promise<void> {
  const random = new RandomStream(seed, `test/${kind}`);
  const shift = random.between(0, 6);
  const period = kind === 'coarse' ? 9 : 1.5;
  const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    const wave = Math.sin(((Math.floor(i / 3) % width) + shift) / period);
    const strong = i % 3 === (kind === 'coarse' ? 0 : 1);
    return 110 + (strong ? 90 : 20) * wave + random.between(-20, 20);
  });
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, await encodeJpeg({ data, width, height }));
}

/** `count` pictures of each kind in folders of these names. */
export async function writeClasses(folder: string, count: number, firstSeed = 0): Promise<void> {
  for (let i = 0; i < count; i++) {
    await writePhoto(join(folder, 'coarse', `${i}.jpg`), 'coarse', firstSeed + i);
    await writePhoto(join(folder, 'fine', `${i}.jpg`), 'fine', firstSeed + i);
  }
}

/** Cuts a file off in its middle: a header that can be read, pixels that cannot be decoded. */
export function truncateFile(path: string, share = 0.5): void {
  const whole = readFileSync(path);
  writeFileSync(path, whole.subarray(0, Math.floor(whole.length * share)));
}
