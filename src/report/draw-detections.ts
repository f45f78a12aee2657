/**
 * Detections, or annotations, on their picture: boxes, masks, class names and scores.
 *
 * Widths of lines and letters follow the size of the picture, so that it is legible as a whole; small pictures are enlarged
 * first. Large objects are drawn first, so that small ones lie on top. Labels of higher scores have the first choice of place.
 */

import type { Rectangle } from '../core/boxes.js';
import { overlaySvg } from '../image/overlay.js';
import { resizeBilinear } from '../image/resize-bilinear.js';
import type { Rle } from '../pycocotools/mask/rle.js';
import type { Colour, Picture } from './canvas.js';
import { classColour, inkOn } from './class-colours.js';
import { LabelPlaces } from './label-places.js';
import { paintMask } from './paint-mask.js';
import { escapeXml } from './svg.js';
import { cutToWidth, textWidth } from './text-width.js';

/** D detections on one picture. */
export interface DrawnDetections {
  pixels: Picture;
  /** [D, 4] xyxy, continuous pixels of the picture */
  boxes: ArrayLike<number>;
  /** [D] */
  classes: ArrayLike<number>;
  /** Of all classes. */
  names: readonly string[];
  /** [D] 0 to 1; absent for annotations */
  scores?: ArrayLike<number>;
  /** [D] of the size of the picture */
  masks?: readonly Rle[];
  /** [D] regions of many objects, which are drawn in grey */
  crowd?: ArrayLike<number>;
}

/** Pictures whose longer side is below this are enlarged by a whole number, up to twice this. Pixels. */
const SMALLEST_SIDE = 480;
const MOST_COLUMNS = 28;
/** Width of a letter of a monospaced font, in font sizes. */
const LETTER = 0.602;
/** From this many objects on, a label must not be much wider than its object. */
const MANY = 25;
const WIDEST_OF_MANY = 2.5;
const CROWD: Colour = [175, 175, 175];

/** Measures in pixels of the result. */
interface Style {
  zoom: number;
  line: number;
  font: number;
}

/** @returns a new picture: `pixels` with the drawing on it, `zoom` times as large if it is small */
export async function drawDetections(detections: DrawnDetections): Promise<Picture> {
  const { pixels, masks } = detections;
  const style = styleFor(pixels);
  const picture = enlarge(pixels, style.zoom);
  const order = largestFirst(detections);
  for (const i of masks === undefined ? [] : order) {
    const paint = { colour: colourOf(detections, i), opacity: 0.4, rim: Math.max(1.5, style.line * 0.7) };
    if (masks !== undefined) paintMask(picture, masks[i], style.zoom, paint);
  }
  const { width, height } = picture;
  const drawing = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="${style.font}">`,
    ...order.map((i) => outline(boxOf(detections, i, style), colourOf(detections, i), style)),
    ...labels(detections, picture, style),
    '</svg>',
  ];
  return overlaySvg(picture, drawing.join('\n'));
}

function styleFor({ width, height }: Picture): Style {
  const zoom = Math.max(1, Math.ceil(SMALLEST_SIDE / Math.max(width, height)));
  const side = zoom * Math.sqrt(width * height);
  const font = Math.max(12, Math.round(side / 50));
  return { zoom, font, line: Math.max(1.5, side / 350) };
}

function enlarge(picture: Picture, zoom: number): Picture {
  const { data, width, height } = resizeBilinear(picture, picture.width * zoom, picture.height * zoom);
  return { data: data.slice(), width, height };
}

function largestFirst({ boxes, classes }: DrawnDetections): number[] {
  const area = (i: number): number =>
    (boxes[4 * i + 2] - boxes[4 * i]) * (boxes[4 * i + 3] - boxes[4 * i + 1]);
  return Array.from({ length: classes.length }, (_, i) => i).sort((a, b) => area(b) - area(a) || a - b);
}

function boxOf({ boxes }: DrawnDetections, i: number, { zoom }: Style): Rectangle {
  const [left, top, right, bottom] = [0, 1, 2, 3].map((side) => boxes[4 * i + side] * zoom);
  return { left, top, right, bottom };
}

function colourOf({ classes, crowd }: DrawnDetections, i: number): Colour {
  return crowd?.[i] ? CROWD : classColour(classes[i]);
}

/** A line with a dark edge, to be seen on any ground. */
function outline({ left, top, right, bottom }: Rectangle, colour: Colour, { line }: Style): string {
  const place = `x="${px(left)}" y="${px(top)}" width="${px(right - left)}" height="${px(bottom - top)}"`;
  const stroke = (ink: string, width: number): string =>
    `<rect ${place} fill="none" stroke="${ink}" stroke-width="${px(width)}" stroke-linejoin="round"/>`;
  return stroke('rgb(0 0 0 / 0.45)', line + Math.max(1, 0.6 * line)) + stroke(rgb(colour), line);
}

function labels(detections: DrawnDetections, picture: Picture, style: Style): string[] {
  const { classes, scores } = detections;
  const height = Math.round(1.3 * style.font);
  const boxes = Array.from({ length: classes.length }, (_, i) => boxOf(detections, i, style));
  const places = new LabelPlaces(picture, height, boxes);
  const many = classes.length > MANY;
  const byScore = boxes.map((_, i) => i);
  if (scores !== undefined) byScore.sort((a, b) => scores[b] - scores[a] || a - b);
  return byScore.flatMap((i) => {
    const texts = labelTexts(detections, i);
    // The whole text where it hides nothing, else a shorter one, else, if there are few, the whole text over something.
    for (const [text, hiding] of [...texts.map((one) => [one, false] as const), [texts[0], true] as const]) {
      const width = Math.ceil((textWidth(text) * LETTER + 0.5) * style.font);
      if (many && (hiding || width > WIDEST_OF_MANY * (boxes[i].right - boxes[i].left))) continue;
      const place = places.place(boxes[i], { width, height }, hiding);
      if (place !== undefined) return label(place, text, colourOf(detections, i), style);
    }
    return [];
  });
}

/** From the whole label to what must do where there is no room. */
function labelTexts({ classes, names, scores, crowd }: DrawnDetections, i: number): string[] {
  const name = shorten(names[classes[i]] ?? `class ${classes[i]}`);
  if (crowd?.[i]) return [`${name} (crowd)`, 'crowd'];
  if (scores === undefined) return [name];
  const score = `${Math.round(100 * scores[i])}%`;
  return [`${name} ${score}`, score];
}

function label({ left, top, right, bottom }: Rectangle, text: string, colour: Colour, { font }: Style) {
  const place = `x="${px(left)}" y="${px(top)}" width="${px(right - left)}" height="${px(bottom - top)}"`;
  return [
    `<rect ${place} fill="${rgb(colour)}"/>`,
    `<text x="${px(left + 0.25 * font)}" y="${px(bottom - 0.32 * font)}" fill="${inkOn(colour)}">${escapeXml(text)}</text>`,
  ];
}

/** Without control characters, which XML does not have. */
function shorten(name: string): string {
  const text = name.replaceAll(/\p{Cc}/gu, '');
  return textWidth(text) <= MOST_COLUMNS ? text : `${cutToWidth(text, MOST_COLUMNS - 1)}…`;
}

function rgb([red, green, blue]: Colour): string {
  return `rgb(${red} ${green} ${blue})`;
}

function px(value: number): string {
  return String(Math.round(100 * value) / 100);
}
