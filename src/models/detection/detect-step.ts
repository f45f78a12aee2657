/**
 * Inference of Faster or Mask R-CNN, compiled: images -> backbone and pyramid -> RPN -> the host chooses proposals
 * (`detect-host.ts`) -> RoIAlign -> box head; for Mask R-CNN -> the host chooses detections -> RoIAlign -> mask head.
 *
 * Letters: N images, H and W of the padded batch, both open, R proposals, D detections, K classes without background.
 */

import { ask } from '../../engine/question.js';
import type { Runtime } from '../../engine/runtime.js';
import type { Step } from '../../engine/step.js';
import { gather } from '../../ops/gather.js';
import { reshape } from '../../ops/reshape.js';
import { FLOAT, op, type Tensor, tf } from '../../ops/tf.js';
import { BOX_SIDE } from './box-head.js';
import { MASK_POOL_SIDE } from './mask-head.js';
import type { Detector } from './networks.js';
import { normalizedPixels, pixelInputs } from './pixels.js';
import { fedMatrix, matrixSpecs, poolRegions, pyramidCells } from './region-matrix.js';
import { rpnCandidates } from './rpn-outputs.js';

export interface DetectStepOptions {
  /** N */
  images: number;
  /** Boxes of a level that the host looks at; Detectron2's PRE_NMS_TOPK_TEST, 1000. */
  candidatesPerLevel: number;
}

/** The questions that a run must answer; the second for Mask R-CNN only. */
export const PROPOSALS = 'proposals';
export const DETECTIONS = 'detections';

/**
 * Compiles inference for batches of N images of any size.
 *
 * Inputs: those of the pixels. Outputs: `scores` [R, K + 1], the background
 * last, and `deltas` [R, 4 K]; for Mask R-CNN `masks` [D 28 28], probabilities of each detection's class.
 */
export function compileDetectStep(
  runtime: Runtime,
  detector: Detector,
  { images: n, candidatesPerLevel }: DetectStepOptions,
): Step<string, string> {
  return runtime.compile<string, string>(`detect_${n}`, pixelInputs(n), ({ images, sizes }) => {
    const pixels = normalizedPixels(images, sizes, detector.options.weightsStyle);
    const maps = detector.features(pixels, 'inference');
    const candidates = rpnCandidates(detector.rpnHead, maps, candidatesPerLevel);
    const cells = pyramidCells(maps);
    const boxes = scoredBoxes(detector, cells, ask(PROPOSALS, candidates, matrixSpecs('box')));
    return { ...boxes, ...masks(detector, cells, boxes) };
  });
}

function scoredBoxes({ boxHead, boxPredictor }: Detector, cells: Tensor, answers: Record<string, Tensor>) {
  const regions = poolRegions(cells, fedMatrix('box', answers), BOX_SIDE);
  const { logits, deltas } = boxPredictor.forward(boxHead.forward(regions, 'inference'));
  return { scores: op('Softmax', [logits], FLOAT), deltas };
}

function masks({ maskHead }: Detector, cells: Tensor, boxes: Record<'scores' | 'deltas', Tensor>) {
  if (maskHead === undefined) return {};
  const answers = ask(DETECTIONS, boxes, {
    ...matrixSpecs('mask'),
    mask_pixels: { type: 'int32', shape: [-1] },
  });
  const regions = poolRegions(cells, fedMatrix('mask', answers), MASK_POOL_SIDE);
  const logits = reshape(maskHead.forward(regions, 'inference'), [-1]);
  return { masks: tf.sigmoid(gather(logits, answers.mask_pixels)) };
}
