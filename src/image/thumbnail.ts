import { explainFailure, openImage } from './sharp.js';
import type { RawImage } from './types.js';

/**
 * A whole picture, made small.
 *
 * @param side the longer side of the result in pixels; smaller pictures are not enlarged
 * @throws ImageError when the file cannot be decoded
 */
export async function thumbnail(path: string, side: number): Promise<RawImage> {
  try {
    const { data, info } = await openImage(path)
      .resize(side, side, { fit: 'inside', withoutEnlargement: true })
      .toColourspace('srgb')
      .removeAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    if (info.channels !== 1) return { data, width: info.width, height: info.height };
    const grey = new Uint8Array(data.length * 3);
    data.forEach((value, i) => {
      grey.fill(value, 3 * i, 3 * i + 3);
    });
    return { data: grey, width: info.width, height: info.height };
  } catch (error) {
    throw await explainFailure(path, 'cannot be decoded', error);
  }
}
