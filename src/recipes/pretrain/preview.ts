/**
 * A picture of what the method sees: on the left each photo with the windows of its two views, then both views after
 * augmentation with their matched boxes, the same colour for the same place. Made by the code that trains.
 */

import type { ResolvedConfig } from '../../config/load.js';
import type { PretrainConfig as Config } from '../../config/schemas/pretrain.js';
import { counted } from '../../core/counted.js';
import type { LiveLog } from '../../core/log.js';
import { writeFileAtomic } from '../../core/replace.js';
import { encodePng } from '../../image/encode.js';
import { thumbnail } from '../../image/thumbnail.js';
import type { SampledBoxes } from '../../models/ssl/box-sampler.js';
import { BOX_COLOURS, Canvas, type Picture } from '../../report/canvas.js';
import { blurBasis } from '../../views/blur.js';
import { DEVIATION, MEAN } from '../../views/normalization.js';
import { openEngine } from '../shared/open-engine.js';
import { openData } from './setup.js';
import { batchBoxes, type PairBatch, photometricInputs, photometricStage } from './step-inputs.js';
import { loadPairs } from './task.js';

const GAP = 8;
/** Views are shown at least about this large, in pixels: recipes for small machines have tiny ones. */
const SMALLEST_SHOWN = 192;
/** Windows of view 1 and view 2 on the photo. */
const WINDOW_COLOURS = [BOX_COLOURS[5], BOX_COLOURS[4]] as const;

export interface PreviewOptions {
  resolved: ResolvedConfig<Config>;
  /** Number of images; the first of epoch 1. */
  count: number;
  /** PNG file to write. */
  out: string;
  log: LiveLog;
}

export async function preview({ resolved, count, out, log }: PreviewOptions): Promise<void> {
  const config: Config = {
    ...resolved.config,
    train: { ...resolved.config.train, batch_size_train: count },
  };
  const { dataset, plan } = await openData(config, log);
  const batches = loadPairs(config, plan, dataset, 0, 0);
  const { value: batch } = await batches.next();
  await batches.return();
  if (batch === undefined) throw new Error('unreachable: a data set without batches');
  const views = await augmentedViews(config, batch, plan.side, log);
  const boxes =
    plan.method === 'scrl' ? batchBoxes(batch, plan.boxes, { seed: config.seed, epoch: 0 }) : undefined;

  const images = batch.indices.length;
  const zoom = Math.max(1, Math.floor(SMALLEST_SHOWN / plan.side));
  const side = zoom * plan.side;
  const canvas = new Canvas(3 * side + 4 * GAP, images * (side + GAP) + GAP);
  for (const [i, index] of batch.indices.entries()) {
    const top = GAP + i * (side + GAP);
    const photo = await thumbnail(dataset.images.path(index), side);
    canvas.paste(photo, GAP, top);
    drawWindows(canvas, batch, i, photo.width / dataset.images.width(index), top);
    for (const view of [0, 1]) {
      const left = 2 * GAP + side + view * (side + GAP);
      canvas.paste(enlarge(views[view * images + i], zoom), left, top);
      if (boxes !== undefined) drawBoxes(canvas, boxes, view * images + i, images, [left, top, zoom]);
    }
  }
  await writeFileAtomic(out, await encodePng(canvas));
  const usable = boxes === undefined ? '' : `, ${boxes.counters.usableImages} of them with matched boxes`;
  log.info(
    `${out}: ${counted(images, 'image')}${usable}; photo with the windows of view 1 (red) and 2 (blue), view 1, view 2`,
  );
}

/** Runs the photometric stage of the training step, and turns its result back into bytes. */
async function augmentedViews(
  config: Config,
  batch: PairBatch,
  side: number,
  log: LiveLog,
): Promise<Picture[]> {
  const runtime = await openEngine(config.engine, log);
  const basis = blurBasis(config.augment.blur, side);
  const stage = photometricStage(basis);
  const images = batch.indices.length;
  const step = runtime.compile('preview', stage.inputs(images, side), (inputs) => ({
    views: stage.views(inputs),
  }));
  const { views } = await step.run(photometricInputs(batch, basis));
  runtime.close();
  const size = side * side * 3;
  return Array.from({ length: 2 * images }, (_, i) => ({
    width: side,
    height: side,
    data: Uint8Array.from({ length: size }, (_, p) => {
      const value = 255 * (Number(views[i * size + p]) * DEVIATION[p % 3] + MEAN[p % 3]);
      return Math.max(0, Math.min(255, Math.round(value)));
    }),
  }));
}

/** Repeats each pixel `zoom` times in both directions. */
function enlarge({ data, width, height }: Picture, zoom: number): Picture {
  const out = new Uint8Array(data.length * zoom * zoom);
  for (let y = 0; y < height * zoom; y++) {
    for (let x = 0; x < width * zoom; x++) {
      const from = (Math.floor(y / zoom) * width + Math.floor(x / zoom)) * 3;
      out.set(data.subarray(from, from + 3), (y * width * zoom + x) * 3);
    }
  }
  return { data: out, width: width * zoom, height: height * zoom };
}

function drawWindows(
  canvas: Canvas,
  { crops, indices }: PairBatch,
  image: number,
  scale: number,
  top: number,
): void {
  for (const view of [0, 1]) {
    const row = (view * indices.length + image) * 5;
    const [y, x, height, width] = Array.from(crops.subarray(row, row + 4), (v) => v * scale);
    canvas.outline([GAP + x, top + y, GAP + x + width, top + y + height], WINDOW_COLOURS[view]);
  }
}

function drawBoxes(
  canvas: Canvas,
  { boxes, valid }: SampledBoxes,
  view: number,
  images: number,
  [left, top, zoom]: readonly [number, number, number],
): void {
  const perImage = valid.length / images;
  for (let k = 0; k < perImage; k++) {
    if (valid[(view % images) * perImage + k] === 0) continue;
    const at = (view * perImage + k) * 4;
    const [l, t, r, b] = boxes.subarray(at, at + 4).map((v) => v * zoom);
    canvas.outline([left + l, top + t, left + r, top + b], BOX_COLOURS[k % BOX_COLOURS.length]);
  }
}
