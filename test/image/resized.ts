/** Noise that Python makes too, resized, and the digest of the result. */

import { createHash } from 'node:crypto';
import { resizeBilinear } from '../../src/image/resize-bilinear.js';
import { nearestIndices } from '../../src/image/resize-nearest.js';
import type { RawImage } from '../../src/image/types.js';

/** Sizes are [width, height]. */
export type ResizeCase = [from: [number, number], to: [number, number], seed: number];

export function hashNoise(width: number, height: number, seed: number): RawImage {
  const data = Uint8Array.from(
    { length: width * height * 3 },
    (_, i) => Math.imul(i + seed, 2654435761) >>> 24,
  );
  return { data, width, height };
}

export function bilinearDigest([from, to, seed]: ResizeCase): string {
  return digest(resizeBilinear(hashNoise(...from, seed), ...to).data);
}

export function nearestDigest([from, to, seed]: ResizeCase): string {
  const { data, width, height } = hashNoise(...from, seed);
  const columns = nearestIndices(width, to[0]);
  const rows = nearestIndices(height, to[1]);
  const result = new Uint8Array(to[0] * to[1] * 3);
  for (let y = 0, at = 0; y < to[1]; y++) {
    for (let x = 0; x < to[0]; x++, at += 3) {
      const pixel = (rows[y] * width + columns[x]) * 3;
      result.set(data.subarray(pixel, pixel + 3), at);
    }
  }
  return digest(result);
}

export function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
