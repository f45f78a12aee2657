/** Small pictures that differ, and whose categories differ in something that can be seen. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { RandomStream } from '../../src/core/rng.js';
import { encodeJpeg } from '../../src/image/encode.js';

const [WIDTH, HEIGHT] = [72, 60];

/** A JPEG of stripes; `kind` decides on their direction and colour, `index` on their phase. */
export async function writePicture(path: string, kind: number, index: number): Promise<void> {
  const random = new RandomStream(1, 'picture', kind, index);
  const [phase, period] = [random.between(0, 6), random.between(3, 6)];
  const data = Uint8Array.from({ length: WIDTH * HEIGHT * 3 }, (_, i) => {
    const [x, y, channel] = [Math.floor(i / 3) % WIDTH, Math.floor(i / 3 / WIDTH), i % 3];
    const wave = Math.sin((kind % 2 === 0 ? x : y) / period + phase);
    return 127 + 90 * wave * (channel === kind % 3 ? 1 : 0.4) + random.between(-20, 20);
  });
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, await encodeJpeg({ data, width: WIDTH, height: HEIGHT }));
}

/** `split/class/0.jpg`, ... */
export async function writeClasses(
  folder: string,
  split: string,
  classes: readonly string[],
  images: number,
) {
  for (const [kind, name] of classes.entries()) {
    for (let i = 0; i < images; i++) {
      await writePicture(join(folder, split, name, `${i}.jpg`), kind, split === 'val' ? 1000 + i : i);
    }
  }
}
