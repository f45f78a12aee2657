/** The host's part of inference: proposals, detections, and both moved to the size that is asked for. */

import type { Answerer } from '../../engine/question.js';
import type { ShapedArray, Step } from '../../engine/step.js';
import type { Rle } from '../../pycocotools/mask/rle.js';
import { AnchorGrid, type AnchorOptions } from './anchors.js';
import { decodeBoxes, PROPOSAL_WEIGHTS } from './box-coder.js';
import { BOX_SIDE } from './box-head.js';
import { DETECTIONS, PROPOSALS } from './detect-step.js';
import { MASK_POOL_SIDE, MASK_SIDE } from './mask-head.js';
import { pasteMask } from './paste-masks.js';
import { fedPixels, type PixelBatch, sizeOf } from './pixels.js';
import { type Detections, type ImageSize, rescaleDetections, selectDetections } from './postprocess.js';
import { selectProposals } from './proposals.js';
import { matrixValues } from './region-matrix.js';
import { classPixels, regionRows } from './regions.js';
import { candidatesOf } from './rpn-outputs.js';

export interface DetectBatch extends PixelBatch {
  /** [N] what detections are to be in pixels of, e.g. each image before it was resized */
  readonly outputs: readonly ImageSize[];
}

export interface DetectHostOptions {
  /** K */
  readonly classes: number;
  /** As the step was compiled with. */
  readonly candidatesPerLevel: number;
  /** Proposals of an image; Detectron2's POST_NMS_TOPK_TEST, default 1000. */
  readonly proposals?: number;
  /** Of the network; default Detectron2's. */
  readonly anchors?: AnchorOptions;
  /** IoU from which on a proposal is a duplicate; default 0.7. */
  readonly proposalNms?: number;
  /** See `DetectionOptions`. */
  readonly scoreThreshold?: number;
  readonly nmsThreshold?: number;
  readonly keep?: number;
}

/** Letters: D detections, best first. */
export interface ImageDetections {
  /** [D, 4] xyxy in pixels of the output */
  readonly boxes: Float32Array;
  /** [D] */
  readonly scores: Float32Array;
  /** [D] 0 to K - 1 */
  readonly classes: Int32Array;
  /** [D] of the output's size; for Mask R-CNN only */
  readonly masks?: readonly Rle[];
}

/** Runs inference on a batch. @returns [N] */
export async function runDetectStep(
  step: Step<string, string>,
  batch: DetectBatch,
  options: DetectHostOptions,
): Promise<ImageDetections[]> {
  const run = new BatchRun(batch, options);
  const answers: Record<string, Answerer> = {
    [PROPOSALS]: (question) => run.propose(question),
    [DETECTIONS](boxes) {
      run.detect(boxes);
      return run.locate();
    },
  };
  const outputs = await step.runWithShapes(fedPixels(batch), { answers });
  if (outputs.masks === undefined) run.detect(outputs);
  return run.finish(outputs.masks?.data as Float32Array);
}

/** What is found out about a batch, question by question. */
class BatchRun {
  readonly #batch: DetectBatch;
  readonly #options: DetectHostOptions;
  readonly #grid: AnchorGrid;
  /** [N], in pixels of the resized image */
  #proposals: Float32Array[] = [];
  #found: Detections[] = [];

  constructor(batch: DetectBatch, options: DetectHostOptions) {
    this.#batch = batch;
    this.#options = options;
    this.#grid = new AnchorGrid(batch.height, batch.width, options.anchors);
  }

  /** @returns where the box head looks */
  propose(question: Readonly<Record<string, ShapedArray>>) {
    const { candidatesPerLevel, proposals: keep = 1000, proposalNms: nmsThreshold = 0.7 } = this.#options;
    this.#proposals = this.#batch.outputs.map((_, n) => {
      const candidates = candidatesOf(question, n, this.#grid, candidatesPerLevel);
      return selectProposals(candidates, { ...sizeOf(this.#batch, n), nmsThreshold, keep, training: false })
        .boxes;
    });
    return matrixValues('box', regionRows(this.#proposals, this.#grid, BOX_SIDE));
  }

  /** @param boxes `scores` [R, K + 1] and `deltas` [R, 4 K] of the proposals, image by image */
  detect({ scores, deltas }: Readonly<Record<string, ShapedArray>>): void {
    const { classes } = this.#options;
    let first = 0;
    this.#found = this.#proposals.map((proposals, n) => {
      const end = first + proposals.length / 4;
      const own = ({ data }: ShapedArray, width: number) =>
        (data as Float32Array).subarray(first * width, end * width);
      const boxes = decodeBoxes(proposals, own(deltas, 4 * classes), PROPOSAL_WEIGHTS);
      const probabilities = own(scores, classes + 1);
      first = end;
      return selectDetections(boxes, probabilities, classes, {
        ...this.#options,
        ...sizeOf(this.#batch, n),
      });
    });
  }

  /** @returns where the mask head looks */
  locate() {
    const { classes } = this.#options;
    const boxes = this.#found.map((found) => found.boxes);
    const labels = this.#found.flatMap((found) => [...found.classes]);
    return {
      ...matrixValues('mask', regionRows(boxes, this.#grid, MASK_POOL_SIDE)),
      mask_pixels: classPixels(labels, classes),
    };
  }

  /** @param masks [D 28 28] of all detections, image by image */
  finish(masks: Float32Array | undefined): ImageDetections[] {
    let first = 0;
    return this.#found.map((found, n) => {
      const output = this.#batch.outputs[n];
      const start = first;
      first += found.scores.length;
      // From here on a row says which of the image's detections it was.
      const numbered = { ...found, rows: found.rows.map((_, i) => i) };
      const { boxes, scores, classes, rows } = rescaleDetections(numbered, sizeOf(this.#batch, n), output);
      if (masks === undefined) return { boxes, scores, classes };
      const pasted = Array.from(rows, (row, i) =>
        pasteMask(maskAt(masks, start + row), boxes.subarray(4 * i, 4 * i + 4), output),
      );
      return { boxes, scores, classes, masks: pasted };
    });
  }
}

function maskAt(masks: Float32Array, index: number): Float32Array {
  const pixels = MASK_SIDE ** 2;
  return masks.subarray(index * pixels, (index + 1) * pixels);
}
