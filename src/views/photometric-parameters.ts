/**
 * Where the parameters of one view's colour changes are in the row that the graph reads (`photometric.ts`).
 *
 * Brightness, saturation and hue may come before or after contrast, and in any order among each other. Each side of
 * contrast therefore has eight places less one: brightness, saturation, brightness | hue | brightness, saturation,
 * brightness. A factor of 1 (or 0 turns of hue) is neutral, and exactly one place of each operation is used.
 */

import type { PhotometricDraw } from './photometric-draws.js';

/** Index of the first place of each part. */
export const COLOUR = { before: 0, contrast: 7, after: 8, colourfulness: 15, solarize: 16 } as const;
export const COLOUR_PARAMETERS = 17;

const HUE_PLACE = 3;
const NEUTRAL = [1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 0] as const;

/**
 * Writes the row of one view.
 *
 * @param out receives `COLOUR_PARAMETERS` numbers from `offset` on
 */
export function colourParameters(draw: PhotometricDraw, out: Float32Array, offset: number): void {
  out.set(NEUTRAL, offset);
  if (draw.jitter) placeJitter(draw, out, offset);
  if (draw.grayscale) out[offset + COLOUR.colourfulness] = 0;
  if (draw.solarize) out[offset + COLOUR.solarize] = 1;
}

function placeJitter(draw: PhotometricDraw, out: Float32Array, offset: number): void {
  const { order } = draw;
  const position = (name: (typeof order)[number]) => order.indexOf(name);
  const side = (name: (typeof order)[number]) =>
    position(name) < position('contrast') ? COLOUR.before : COLOUR.after;

  out[offset + COLOUR.contrast] = draw.contrast;
  out[offset + side('hue') + HUE_PLACE] = draw.hue;

  for (const name of ['brightness', 'saturation'] as const) {
    // On the side of contrast where hue is not, either of hue's segments will do.
    const afterHue = side(name) === side('hue') && position(name) > position('hue');
    const segment = offset + side(name) + (afterHue ? HUE_PLACE + 1 : 0);
    if (name === 'saturation') out[segment + 1] = draw.saturation;
    else out[segment + (position('brightness') < position('saturation') ? 0 : 2)] = draw.brightness;
  }
}
