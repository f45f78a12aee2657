/**
 * Matched boxes: for each image, up to K random boxes inside the area that both of its views show, in the coordinates of
 * either view (SCRL, section 3).
 *
 * The distribution is the reference's. What differs: draws come from one stream for each image, a box that finds no free
 * place is dropped by default (the reference keeps it although it overlaps; `onExhausted: 'keep'` does so too), and the
 * result is padded to K boxes because a compiled step has fixed shapes. Geometry is in `box-geometry.ts`.
 *
 * Letters: N images, K boxes of an image, M boxes in the batch. Boxes are xyxy in continuous view pixels, float32.
 */

import { clip, iou, type Rectangle } from '../../core/boxes.js';
import type { RandomStream } from '../../core/rng.js';
import type { Crop } from '../../image/types.js';
import { type WorkingGrid, workingGrid } from '../../views/working-grid.js';
import { boxInView, type GridBox, jitterBox } from './box-geometry.js';

export interface BoxSamplerOptions {
  /** K, at least 1 */
  boxesPerImage: number;
  /** Boxes of an image overlap by less than this (IoU in view 1); 1 allows any overlap. */
  iouThreshold: number;
  /** Smallest side of a box in both views, in whole pixels. The overlap of the views must be larger than this. */
  minSize: number;
  /** Cells of a random grid, which favours small boxes; otherwise sides and positions are uniform. */
  gridBased: boolean;
  /** Largest relative shift and change of size of the box in view 2, below 0.5; undefined for none. */
  jitter: number | undefined;
  /** What becomes of a box after 50 candidates that overlap too much. */
  onExhausted: 'drop' | 'keep';
  /** Side of a view in pixels. */
  inputSize: number;
}

export interface BoxCounters {
  /** Images with boxes; with the next two, N. */
  usableImages: number;
  /** Images whose views show no common area. */
  noOverlap: number;
  /** Images whose common area is not larger than the smallest box. */
  tooSmall: number;
  /** Candidates drawn. */
  attempts: number;
  /** Boxes kept although they overlap too much. */
  forced: number;
  /** Boxes left out because they overlap too much. */
  dropped: number;
  /** M, kept boxes: each counts once for both views. */
  boxes: number;
}

export interface SampledBoxes {
  /** [2N, K, 4], images of view 1 first; an image's boxes come before its padding, which is zero. */
  boxes: Float32Array;
  /** [N, K], 1 for a box and 0 for padding, the same for both views. */
  valid: Uint8Array;
  counters: BoxCounters;
}

const MAX_ATTEMPTS = 50;

/**
 * Draws the boxes of a batch.
 *
 * @param crops [2N, 5], rows (top, left, height, width, flipped) in pixels of the original image, view 1 of all images
 *   and then view 2
 * @param count N
 * @param stream gives the random draws of image 0 to N - 1 of this batch; asked only for images that can have boxes
 * @throws RangeError when `crops` does not have 10 N elements
 */
export function sampleBoxes({
  crops,
  count,
  options,
  stream,
}: {
  crops: Int32Array;
  count: number;
  options: BoxSamplerOptions;
  stream: (image: number) => RandomStream;
}): SampledBoxes {
  if (crops.length !== 10 * count) {
    throw new RangeError(
      `sampleBoxes: crops of ${count} images need ${10 * count} numbers, not ${crops.length}`,
    );
  }
  const { boxesPerImage, inputSize, minSize } = options;
  const boxes = new Float32Array(2 * count * boxesPerImage * 4);
  const valid = new Uint8Array(count * boxesPerImage);
  const counters = {
    usableImages: 0,
    noOverlap: 0,
    tooSmall: 0,
    attempts: 0,
    forced: 0,
    dropped: 0,
    boxes: 0,
  };
  for (let image = 0; image < count; image++) {
    const views = [cropAt(crops, image), cropAt(crops, count + image)] as const;
    const grid = workingGrid(...views, inputSize);
    if (grid === undefined) {
      counters.noOverlap++;
    } else if (grid.width <= minSize || grid.height <= minSize) {
      counters.tooSmall++;
    } else {
      counters.usableImages++;
      const pairs = samplePairs(views, grid, options, stream(image), counters);
      pairs.forEach((pair, k) => {
        const row = image * boxesPerImage + k;
        valid[row] = 1;
        writeBox(boxes, row, pair[0]);
        writeBox(boxes, count * boxesPerImage + row, pair[1]);
      });
    }
  }
  return { boxes, valid, counters };
}

/** The same box in view 1 and in view 2. */
type BoxPair = readonly [Rectangle, Rectangle];

function samplePairs(
  views: readonly [Crop, Crop],
  grid: WorkingGrid,
  options: BoxSamplerOptions,
  stream: RandomStream,
  counters: BoxCounters,
): BoxPair[] {
  const { boxesPerImage, inputSize, jitter } = options;
  const inside = (box: Rectangle) => clip(box, inputSize, inputSize);
  const accepted: BoxPair[] = [];
  for (let i = 0; i < boxesPerImage; i++) {
    const drawn = drawFree(views[0], accepted, grid, options, stream, counters);
    if (drawn === undefined) continue;
    const second = boxInView(drawn.box, grid, views[1], inputSize);
    const moved = jitter === undefined ? second : jitterBox(second, jitterFactors(jitter, stream));
    accepted.push([inside(drawn.first), inside(moved)]);
  }
  counters.boxes += accepted.length;
  return accepted;
}

/** A box that overlaps little with the accepted ones, or what `onExhausted` says when 50 candidates did not. */
function drawFree(
  view: Crop,
  accepted: readonly BoxPair[],
  grid: WorkingGrid,
  options: BoxSamplerOptions,
  stream: RandomStream,
  counters: BoxCounters,
): { box: GridBox; first: Rectangle } | undefined {
  const { iouThreshold, inputSize, minSize } = options;
  const draw = options.gridBased ? drawInCell : drawAnywhere;
  for (let attempt = 1; ; attempt++) {
    const box = draw(grid, minSize, stream);
    // The candidate is compared before clipping with boxes after clipping, as in the reference.
    const first = boxInView(box, grid, view, inputSize);
    counters.attempts++;
    const free = iouThreshold === 1 || accepted.every(([other]) => iou(first, other) < iouThreshold);
    if (free) return { box, first };
    if (attempt < MAX_ATTEMPTS) continue;
    if (options.onExhausted === 'drop') {
      counters.dropped++;
      return undefined;
    }
    counters.forced++;
    return { box, first };
  }
}

/** A box inside a random cell of a random division of the grid, whose cells are not smaller than `minSize`. */
function drawInCell(grid: WorkingGrid, minSize: number, stream: RandomStream): GridBox {
  const columns = stream.integer(1, Math.floor(grid.width / minSize) + 1);
  const rows = stream.integer(1, Math.floor(grid.height / minSize) + 1);
  const cellWidth = grid.width / columns;
  const cellHeight = grid.height / rows;
  const column = stream.integer(0, columns);
  const row = stream.integer(0, rows);
  const width = stream.integer(minSize, cellWidth + 1);
  const height = stream.integer(minSize, cellHeight + 1);
  return {
    x: stream.integer(0, cellWidth - width + 1) + Math.floor(column * cellWidth),
    y: stream.integer(0, cellHeight - height + 1) + Math.floor(row * cellHeight),
    width,
    height,
  };
}

/** A box with uniform sides and position. */
function drawAnywhere(grid: WorkingGrid, minSize: number, stream: RandomStream): GridBox {
  const width = stream.integer(minSize, grid.width);
  const height = stream.integer(minSize, grid.height);
  return {
    x: stream.integer(0, grid.width - width),
    y: stream.integer(0, grid.height - height),
    width,
    height,
  };
}

function jitterFactors(ratio: number, stream: RandomStream): [number, number, number, number] {
  const factor = () => stream.between(1 - ratio, 1 + ratio);
  return [factor(), factor(), factor(), factor()];
}

function cropAt(crops: Int32Array, row: number): Crop {
  const [top, left, height, width, flipped] = crops.subarray(5 * row, 5 * row + 5);
  return { top, left, height, width, flipped: flipped !== 0 };
}

function writeBox(boxes: Float32Array, row: number, { left, top, right, bottom }: Rectangle): void {
  boxes.set([left, top, right, bottom], 4 * row);
}
