/** A picture of what a detector is trained on, made by the code that trains: after augmentation, with crowds in grey. */

import type { DetectConfig } from '../../config/schemas/detect.js';
import { counted } from '../../core/counted.js';
import type { LiveLog } from '../../core/log.js';
import { writeFileAtomic } from '../../core/replace.js';
import type { DetectionBatch } from '../../data/detection-loader.js';
import { encodePng } from '../../image/encode.js';
import type { Outline } from '../../pycocotools/mask/outline.js';
import { polygonToRle } from '../../pycocotools/mask/polygon.js';
import { merge, type Rle } from '../../pycocotools/mask/rle.js';
import { Canvas, type Picture } from '../../report/canvas.js';
import { drawDetections } from '../../report/draw-detections.js';
import { warnWithoutFonts } from '../shared/warn-without-fonts.js';
import { openSplit, trainingBatches } from './data.js';

const GAP = 8;
const MOST_COLUMNS = 3;

export interface DetectPreviewOptions {
  config: DetectConfig;
  /** The first batch that is shown. */
  step: number;
  /** Number of images. */
  count: number;
  /** PNG file to write. */
  out: string;
  log: LiveLog;
}

/** @throws UserError as `openSplit`, or when too many images cannot be decoded */
export async function detectPreview({ config, step, count, out, log }: DetectPreviewOptions): Promise<void> {
  const dataset = await openSplit(config, 'train', log);
  await warnWithoutFonts(log);
  const pictures: Picture[] = [];
  let last = step;
  for await (const batch of trainingBatches(config, dataset, { firstStep: step, keepCrowds: true })) {
    for (const { path, reason } of batch.replaced) log.warn(`${path}: ${reason}; another image is shown`);
    for (let n = 0; n < batch.ids.length && pictures.length < count; n++) {
      pictures.push(await drawImage(batch, n, dataset.classes));
    }
    last = batch.step;
    if (pictures.length === count) break;
  }
  await writeFileAtomic(out, await encodePng(arrange(pictures)));
  const steps = last === step ? `step ${step}` : `steps ${step} to ${last}`;
  log.info(
    `${out}: ${counted(count, 'image')} as the detector sees ${count === 1 ? 'it' : 'them'}, of ${steps}; crowds in grey`,
  );
}

/** @param n place in the batch */
function drawImage(batch: DetectionBatch, n: number, names: readonly string[]): Promise<Picture> {
  const pixels = cut(batch, n);
  const { boxes, classes, crowd, outlines } = batch.objects[n];
  const masks = outlines?.map((outline) => toMask(outline, pixels));
  return drawDetections({ pixels, boxes, classes, names, crowd, ...(masks && { masks }) });
}

/** An image without the padding. */
function cut({ images, height, width, sizes }: DetectionBatch, n: number): Picture {
  const [ownHeight, ownWidth] = sizes.subarray(2 * n, 2 * n + 2);
  const data = new Uint8Array(ownHeight * ownWidth * 3);
  for (let y = 0; y < ownHeight; y++) {
    const row = (n * height + y) * width * 3;
    data.set(images.subarray(row, row + ownWidth * 3), y * ownWidth * 3);
  }
  return { data, width: ownWidth, height: ownHeight };
}

function toMask(outline: Outline, { width, height }: Picture): Rle {
  if ('runs' in outline) return outline.runs;
  const parts = outline.polygons.map((polygon) => polygonToRle(polygon, height, width));
  return parts.length > 0 ? merge(parts) : { height, width, counts: Uint32Array.of(height * width) };
}

/** Rows of pictures, side by side, as near to a square as their number allows. */
function arrange(pictures: readonly Picture[]): Canvas {
  const columns = Math.min(MOST_COLUMNS, Math.ceil(Math.sqrt(pictures.length)));
  const rows: Picture[][] = [];
  for (let i = 0; i < pictures.length; i += columns) rows.push(pictures.slice(i, i + columns));
  const widths = rows.map((row) => row.reduce((sum, { width }) => sum + width + GAP, GAP));
  const heights = rows.map((row) => Math.max(...row.map(({ height }) => height)) + GAP);
  const canvas = new Canvas(
    Math.max(...widths),
    heights.reduce((sum, height) => sum + height, GAP),
  );
  let top = GAP;
  for (const [r, row] of rows.entries()) {
    let left = GAP;
    for (const picture of row) {
      canvas.paste(picture, left, top);
      left += picture.width + GAP;
    }
    top += heights[r];
  }
  return canvas;
}
