/**
 * Decodes the part of a picture that some windows need, at the coarsest resolution that still serves them.
 *
 * JPEG files are reduced inside the decoder, which skips most of its work. The exact factor is passed as an option of
 * libvips behind the file name (`photo.jpg[shrink=4]`): through `resize()` sharp reduces less and resamples the rest.
 * Names in which libvips could mistake characters for options, and other formats, take `resize()`. Rows below the last
 * one needed are not decoded; a file cut off below them goes unnoticed.
 */

import type { Window } from '../core/boxes.js';
import { explainFailure, openImage } from './sharp.js';
import { ImageError, type ImageInfo, type RawImage } from './types.js';

export const REDUCTIONS = [8, 4, 2, 1] as const;
export type Reduction = (typeof REDUCTIONS)[number];

/** A decoded part; x of the upright picture lies at `x * scaleX + offsetX` in it, y likewise. */
export interface DecodedPart {
  image: RawImage;
  scaleX: number;
  scaleY: number;
  offsetX: number;
  offsetY: number;
}

const NAME_WITHOUT_OPTIONS = /^[^[\]"'\\]*$/;

/**
 * @param path of a file
 * @param info from `probeImage`; its orientation matters where the size is no multiple of the reduction
 * @param area in pixels of the upright picture: what must be decoded; more may be
 * @throws ImageError when the file is missing, truncated, damaged, or no longer has the size of `info`
 */
export async function decodePart(
  path: string,
  info: ImageInfo,
  reduction: Reduction,
  area: Window,
): Promise<DecodedPart> {
  const inDecoder = reduction > 1 && info.format === 'jpeg' && NAME_WITHOUT_OPTIONS.test(path);
  const x = reduceAxis(info.width, reduction, inDecoder, [2, 3, 6, 7].includes(info.orientation));
  const y = reduceAxis(info.height, reduction, inDecoder, [3, 4, 7, 8].includes(info.orientation));
  const width = x.size;
  const height = y.size;
  const left = clamp(Math.floor(area.left * x.scale + x.offset), width - 1);
  const top = clamp(Math.floor(area.top * y.scale + y.offset), height - 1);
  const right = Math.min(width, Math.ceil((area.left + area.width) * x.scale + x.offset));
  const bottom = Math.min(height, Math.ceil((area.top + area.height) * y.scale + y.offset));

  const picture = openImage(inDecoder ? `${path}[shrink=${reduction}]` : path);
  if (reduction > 1 && !inDecoder) picture.resize(width, height, { fit: 'fill', kernel: 'cubic' });
  const whole = left === 0 && top === 0 && right === width && bottom === height;
  if (!whole) picture.extract({ left, top, width: right - left, height: bottom - top });
  const { data, info: found } = await picture
    .removeAlpha()
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true })
    .catch(async (error: unknown) => {
      throw await explainFailure(path, 'cannot be decoded: damaged, or not complete', error);
    });
  if (found.width !== right - left || found.height !== bottom - top || found.channels !== 3) {
    const size = `${found.width}x${found.height}x${found.channels}`;
    throw new ImageError(path, `decoded to ${size} where ${right - left}x${bottom - top}x3 was expected`);
  }
  return {
    image: { data, width: found.width, height: found.height },
    scaleX: x.scale,
    scaleY: y.scale,
    offsetX: x.offset - left,
    offsetY: y.offset - top,
  };
}

/** A whole picture, upright and in full resolution. @throws ImageError as `decodePart` */
export async function decodeWhole(path: string, info: ImageInfo): Promise<RawImage> {
  const { width, height } = info;
  return (await decodePart(path, info, 1, { left: 0, top: 0, width, height })).image;
}

/**
 * Size after the reduction, and where a coordinate lands. The decoder's pixels cover exactly `reduction` stored ones and
 * an incomplete last one is left out; where the upright axis runs backwards it is missing at the beginning.
 */
function reduceAxis(
  size: number,
  reduction: number,
  inDecoder: boolean,
  backwards: boolean,
): { size: number; scale: number; offset: number } {
  if (inDecoder) {
    const reduced = Math.floor(size / reduction);
    return { size: reduced, scale: 1 / reduction, offset: backwards ? reduced - size / reduction : 0 };
  }
  const reduced = Math.ceil(size / reduction);
  return { size: reduced, scale: reduced / size, offset: 0 };
}

function clamp(value: number, highest: number): number {
  return Math.min(Math.max(value, 0), highest);
}
