/** A colour for each class, the same in every picture, and the ink that is legible on it. */

import { BOX_COLOURS, type Colour } from './canvas.js';

/** Degrees between one hue and the next: the golden angle never comes close to a hue that was used lately. */
const GOLDEN_ANGLE = 137.508;
/** Lightness of the classes in turn, so that near hues differ in it. */
const LIGHTNESS = [0.55, 0.42, 0.68];
const SATURATION = 0.75;

/** The first classes have colours that people with any kind of colour vision tell apart, the others hues in turn. */
export function classColour(label: number): Colour {
  if (label < BOX_COLOURS.length) return BOX_COLOURS[label];
  return hsl((label * GOLDEN_ANGLE) % 360, SATURATION, LIGHTNESS[label % LIGHTNESS.length]);
}

/** Black or white, whichever has more contrast (WCAG 2's relative luminance). */
export function inkOn([red, green, blue]: Colour): 'black' | 'white' {
  const linear = (value: number): number =>
    value <= 10 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4;
  const luminance = 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
  // Where (luminance + 0.05) / 0.05 and 1.05 / (luminance + 0.05) are equal.
  return luminance > 0.179 ? 'black' : 'white';
}

/** @param hue degrees  @param saturation, lightness 0 to 1 */
function hsl(hue: number, saturation: number, lightness: number): Colour {
  const reach = saturation * Math.min(lightness, 1 - lightness);
  const channel = (offset: number): number => {
    const k = (offset + hue / 30) % 12;
    return Math.round(255 * (lightness - reach * Math.max(-1, Math.min(k - 3, 9 - k, 1))));
  };
  return [channel(0), channel(8), channel(4)];
}
