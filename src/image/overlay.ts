/** Drawings over pictures: SVG is rendered by the library that decodes images, text with the fonts of the machine. */

import { sharp } from './sharp.js';
import type { RawImage } from './types.js';

/**
 * @param image [height, width, 3]
 * @param svg a whole document of the picture's size
 * @returns a new picture with the drawing on it
 */
export async function overlaySvg({ data, width, height }: RawImage, svg: string): Promise<RawImage> {
  const picture = sharp(data, { raw: { width, height, channels: 3 } });
  const drawn = await picture
    .composite([{ input: Buffer.from(svg), limitInputPixels: false }])
    .removeAlpha()
    .raw()
    .toBuffer();
  return { data: drawn, width, height };
}

/** Whether the machine has a font at all: without one, every letter becomes the same empty frame, or nothing. */
export async function hasFonts(): Promise<boolean> {
  const [first, second] = await Promise.all(['M', 'i'].map(drawLetter));
  return first.some((value, i) => value !== second[i]);
}

async function drawLetter(letter: string): Promise<Uint8Array> {
  const side = 32;
  const blank = { data: new Uint8Array(side * side * 3), width: side, height: side };
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${side}" height="${side}"><text y="26" font-size="26" fill="#fff">${letter}</text></svg>`;
  return (await overlaySvg(blank, svg)).data;
}
