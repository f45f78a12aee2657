/** Reads a picture's header: size after the EXIF orientation, and format. No pixel is decoded. */

import { explainFailure, MAX_PIXELS, MAX_PROGRESSIVE_PIXELS, openImage } from './sharp.js';
import { IMAGE_FORMATS, ImageError, type ImageFormat, type ImageInfo } from './types.js';

/**
 * @param path of a file
 * @throws ImageError when the file is missing, empty, no picture, of a format that is not read, or too large
 */
export async function probeImage(path: string): Promise<ImageInfo> {
  const metadata = await openImage(path)
    .metadata()
    .catch(async (error: unknown) => {
      throw await explainFailure(
        path,
        'no picture in a format that is read, or its header is damaged',
        error,
      );
    });
  const format = formatOf(metadata.format, metadata.compression);
  if (format === undefined) throw new ImageError(path, `format ${metadata.format} is not supported`);
  const { width, height } = metadata.autoOrient;
  if (width * height > MAX_PIXELS)
    throw new ImageError(path, `${width}x${height} exceeds ${MAX_PIXELS} pixels`);
  if (metadata.isProgressive && width * height > MAX_PROGRESSIVE_PIXELS) {
    throw new ImageError(
      path,
      `${width}x${height} exceeds ${MAX_PROGRESSIVE_PIXELS} pixels, the limit for a progressive or interlaced picture`,
    );
  }
  return { width, height, format, orientation: metadata.orientation ?? 1 };
}

/** libvips calls AVIF `heif` with `av1` inside; other HEIF files need a decoder that sharp does not ship. */
function formatOf(format: string | undefined, compression: string | undefined): ImageFormat | undefined {
  if (format === 'heif' && compression === 'av1') return 'avif';
  return IMAGE_FORMATS.find((known) => known === format);
}
