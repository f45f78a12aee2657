/**
 * Pictures for the pipeline benchmark: seeded colour noise with the spectrum of photographs, as JPEG files.
 *
 * Natural pictures have about the same contrast in every octave of spatial frequency, a little less in the finest ones, and
 * most of it in the luma. What a decoder and a resampler have to do follows from that and from the size of the file; the
 * contrasts below give files as large as those of ImageNet and of a 12-megapixel camera.
 */

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '../../src/core/replace.js';
import { RandomStream } from '../../src/core/rng.js';
import { encodeJpeg } from '../../src/image/encode.js';
import type { RawImage } from '../../src/image/types.js';

export interface PhotoKind {
  width: number;
  height: number;
  /** Contrast of an octave relative to the next coarser one, 0..1. Sets the size of the file. */
  decay: number;
}

/** 60-100 kB, like most pictures of ImageNet. */
export const SMALL_PHOTO: PhotoKind = { width: 500, height: 375, decay: 0.76 };
/** 12 megapixels, 3-5 MB, like a camera's or a telephone's. */
export const LARGE_PHOTO: PhotoKind = { width: 4000, height: 3000, decay: 0.8 };

const QUALITY = 90;
/** Standard deviations in grey levels. */
const LUMA_CONTRAST = 52;
const CHROMA_CONTRAST = 18;

/**
 * Writes `count` files 000.jpg, 001.jpg, ... into a folder, which is made; the same files for the same seed.
 *
 * @returns the sizes of the files in bytes
 */
export async function makePhotos(
  folder: string,
  count: number,
  kind: PhotoKind,
  seed = 1,
): Promise<number[]> {
  await mkdir(folder, { recursive: true });
  const sizes: number[] = [];
  for (let index = 0; index < count; index++) {
    const jpeg = await encodeJpeg(drawPhoto(kind, new RandomStream(seed, 'photo', index)), QUALITY);
    await writeFileAtomic(join(folder, `${String(index).padStart(3, '0')}.jpg`), jpeg);
    sizes.push(jpeg.length);
  }
  return sizes;
}

/** @returns [height, width, 3] */
export function drawPhoto({ width, height, decay }: PhotoKind, stream: RandomStream): RawImage {
  const luma = fractalNoise(width, height, decay, stream);
  const blue = fractalNoise(width, height, decay, stream);
  const red = fractalNoise(width, height, decay, stream);
  const data = new Uint8ClampedArray(width * height * 3);
  for (let i = 0; i < luma.length; i++) {
    const y = 115 + LUMA_CONTRAST * luma[i];
    const cb = CHROMA_CONTRAST * blue[i];
    const cr = CHROMA_CONTRAST * red[i];
    data[3 * i] = y + 1.402 * cr;
    data[3 * i + 1] = y - 0.344 * cb - 0.714 * cr;
    data[3 * i + 2] = y + 1.772 * cb;
  }
  return { data: new Uint8Array(data.buffer), width, height };
}

/** Noise of mean 0 and deviation 1, [height, width]: each octave is the coarser one enlarged twice plus finer noise. */
function fractalNoise(width: number, height: number, decay: number, stream: RandomStream): Float32Array {
  const sizes = [{ width, height }];
  while (Math.min(sizes[0].width, sizes[0].height) > 4) {
    sizes.unshift({ width: Math.ceil(sizes[0].width / 2), height: Math.ceil(sizes[0].height / 2) });
  }
  let plane = new Float32Array(sizes[0].width * sizes[0].height);
  stream.fillUniform(plane, -1, 1);
  let contrast = 1;
  for (let octave = 1; octave < sizes.length; octave++) {
    contrast *= decay;
    const finer = new Float32Array(sizes[octave].width * sizes[octave].height);
    stream.fillUniform(finer, -contrast, contrast);
    addEnlarged(plane, sizes[octave - 1].width, finer, sizes[octave].width);
    plane = finer;
  }
  return standardize(plane);
}

/** Adds to `finer` the plane of half its size, interpolated linearly; the last row and column are repeated. */
function addEnlarged(coarse: Float32Array, coarseWidth: number, finer: Float32Array, width: number): void {
  const lastRow = coarse.length / coarseWidth - 1;
  const height = finer.length / width;
  for (let y = 0; y < height; y++) {
    const top = (y >> 1) * coarseWidth;
    const bottom = Math.min((y + 1) >> 1, lastRow) * coarseWidth;
    for (let x = 0; x < width; x++) {
      const left = x >> 1;
      const right = Math.min((x + 1) >> 1, coarseWidth - 1);
      finer[y * width + x] +=
        (coarse[top + left] + coarse[top + right] + coarse[bottom + left] + coarse[bottom + right]) / 4;
    }
  }
}

function standardize(plane: Float32Array): Float32Array {
  let sum = 0;
  let squares = 0;
  for (const value of plane) {
    sum += value;
    squares += value * value;
  }
  const mean = sum / plane.length;
  const deviation = Math.sqrt(squares / plane.length - mean * mean);
  return plane.map((value) => (value - mean) / deviation);
}
