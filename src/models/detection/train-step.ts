/**
 * One training step of Faster or Mask R-CNN, compiled (Ren et al., 2015; He et al., 2017; as Detectron2 trains them):
 *
 * images -> backbone and pyramid -> RPN -> the host turns its best boxes into regions (`train-host.ts`) -> RoIAlign -> box
 * head, mask head; the five losses, their gradients, and the solver's update.
 *
 * Letters: N images, H and W of the padded batch, both open, A anchors of an image, S sampled anchors of which P positive,
 * R regions of which F foreground, K classes without background. Regions stand image by image, foreground first.
 */

import { ask } from '../../engine/question.js';
import type { Runtime } from '../../engine/runtime.js';
import type { InputSpec, Step } from '../../engine/step.js';
import { checkFinite } from '../../ops/check-finite.js';
import { crossEntropy } from '../../ops/cross-entropy.js';
import { gather } from '../../ops/gather.js';
import { reshape } from '../../ops/reshape.js';
import { divisor, sideOf } from '../../ops/shape.js';
import { sigmoidCrossEntropy } from '../../ops/sigmoid-cross-entropy.js';
import { smoothL1 } from '../../ops/smooth-l1.js';
import { scope, type Tensor, tf } from '../../ops/tf.js';
import { norm } from '../../solver/lars.js';
import type { Solver } from '../../solver/solver.js';
import { PATCH_SIDE } from './anchor-patches.js';
import { BOX_SIDE } from './box-head.js';
import { MASK_POOL_SIDE } from './mask-head.js';
import type { Detector } from './networks.js';
import { normalizedPixels, pixelInputs } from './pixels.js';
import { fedMatrix, matrixSpecs, poolRegions, pyramidCells } from './region-matrix.js';
import { rpnCandidates } from './rpn-outputs.js';

/** Detectron2's names. `loss_mask` for Mask R-CNN only. */
export type LossName = 'loss_cls' | 'loss_box_reg' | 'loss_mask' | 'loss_rpn_cls' | 'loss_rpn_loc';

export interface TrainStepOptions {
  /** N */
  images: number;
  /** Boxes of a level that the host looks at; Detectron2's PRE_NMS_TOPK_TRAIN, 2000. */
  candidatesPerLevel: number;
  /** Anchors that an image is trained on, if it has so many: what the RPN's losses are divided by. */
  anchorsPerImage: number;
  /** Parameters (keys of the state dict) of which the norm of the gradient is an output, `gradient_norm/KEY`. */
  probes?: readonly string[];
}

/** The question that a run of the step must answer. */
export const REGIONS = 'regions';

const INTS = { type: 'int32', shape: [-1] } as const;
const FLOATS = { type: 'float32', shape: [-1] } as const;
const BOXES = { type: 'float32', shape: [-1, 4] } as const;

function stepInputs(images: number): Record<string, InputSpec> {
  return {
    rate: { type: 'float32', shape: [] },
    ...pixelInputs(images),
    /** What the RPN sees of the sampled anchors of all images. */
    ...matrixSpecs('anchors'),
    /** [S] sampled anchor times kinds plus its kind; and 1 for an object, 0 for none. */
    anchors: INTS,
    anchor_labels: FLOATS,
    /** [P] the same of the positive ones, and [P, 4] the way from each to its object. */
    positive_anchors: INTS,
    anchor_deltas: BOXES,
  };
}

function answerSpecs(masks: boolean): Record<string, InputSpec> {
  return {
    ...matrixSpecs('box'),
    /** [R] 0 to K - 1, K for background */
    classes: INTS,
    /** [F] region times K plus class, and [F, 4] the way from each region to its object */
    foreground: INTS,
    deltas: BOXES,
    ...(masks && {
      ...matrixSpecs('mask'),
      /** [F 28 28] positions in the logits of the class that counts, and what should be there */
      mask_pixels: INTS,
      mask_targets: FLOATS,
    }),
  };
}

/**
 * Compiles the step for batches of N images of any size. Parameters, statistics and momentum change only when the host has
 * answered and all losses are finite.
 *
 * Outputs: the losses, `total_loss`, and the probes' norms with `gradient_norm`, that of all gradients.
 */
export function compileTrainStep(
  runtime: Runtime,
  detector: Detector,
  solver: Solver,
  options: TrainStepOptions,
): Step<string, string> {
  const parameters = detector.store.parameters();
  const inputs = stepInputs(options.images);
  return runtime.compile<string, string>(`detect_train_${options.images}`, inputs, (fed) => {
    let outputs: Record<string, Tensor> = {};
    const { grads } = tf.valueAndGrads(() => {
      outputs = lossOutputs(detector, fed, options);
      return outputs.total_loss as never;
    })(parameters.map(({ variable }) => variable.read()));
    solver.update(grads, fed.rate);
    const keys = parameters.map(({ key }) => key);
    return { ...outputs, ...gradientNorms(grads, keys, options.probes ?? []) };
  });
}

/**
 * Compiles the same without learning: the losses, and the statistics of norms over the batch, which change as in a training
 * step.
 */
export function compileForwardStep(
  runtime: Runtime,
  detector: Detector,
  options: TrainStepOptions,
): Step<string, string> {
  const name = `detect_forward_${options.images}`;
  return runtime.compile<string, string>(name, stepInputs(options.images), (fed) =>
    lossOutputs(detector, fed, options),
  );
}

/** The losses, and `total_loss`, their sum. */
function lossOutputs(
  detector: Detector,
  fed: Record<string, Tensor>,
  options: TrainStepOptions,
): Record<string, Tensor> {
  const losses = Object.entries(forward(detector, fed, options));
  const checked = losses.map(([name, loss]) => [name, tf.keep(checkFinite(name, loss))] as const);
  const total = losses.map(([, loss]) => loss).reduce((sum, loss) => tf.add(sum, loss));
  return { ...Object.fromEntries(checked), total_loss: tf.keep(total) };
}

function forward(
  detector: Detector,
  fed: Record<string, Tensor>,
  options: TrainStepOptions,
): Partial<Record<LossName, Tensor>> {
  const pixels = normalizedPixels(fed.images, fed.sizes, detector.options.weightsStyle);
  const maps = detector.features(pixels, 'training');
  const candidates = rpnCandidates(detector.rpnHead, maps, options.candidatesPerLevel);
  const answers = ask(REGIONS, candidates, answerSpecs(detector.maskHead !== undefined));
  const cells = pyramidCells(maps);
  return {
    ...scope('rpn_losses', () => rpnLosses(detector, cells, fed, options.anchorsPerImage * options.images)),
    ...scope('box_losses', () => boxLosses(detector, cells, answers)),
    ...scope('mask_loss', () => maskLoss(detector, cells, answers)),
  };
}

/** @param count what both are divided by, also where fewer anchors were sampled */
function rpnLosses({ rpnHead }: Detector, cells: Tensor, fed: Record<string, Tensor>, count: number) {
  const { logits, deltas } = rpnHead.forwardPatches(
    poolRegions(cells, fedMatrix('anchors', fed), PATCH_SIDE),
  );
  const sampled = gather(reshape(logits, [-1]), fed.anchors);
  const positive = gather(reshape(deltas, [-1, 4]), fed.positive_anchors);
  return {
    loss_rpn_cls: tf.div(sigmoidCrossEntropy(sampled, fed.anchor_labels), count),
    loss_rpn_loc: tf.div(smoothL1(positive, fed.anchor_deltas, 0), count),
  };
}

/** The box loss counts foreground only, but is divided by all regions. */
function boxLosses({ boxHead, boxPredictor }: Detector, cells: Tensor, answers: Record<string, Tensor>) {
  const regions = poolRegions(cells, fedMatrix('box', answers), BOX_SIDE);
  const { logits, deltas } = boxPredictor.forward(boxHead.forward(regions, 'training'));
  const ofClass = gather(reshape(deltas, [-1, 4]), answers.foreground);
  const count = divisor(sideOf(answers.classes, 0));
  return {
    loss_cls: crossEntropy(logits, answers.classes),
    loss_box_reg: tf.div(smoothL1(ofClass, answers.deltas, 0), count),
  };
}

function maskLoss({ maskHead }: Detector, cells: Tensor, answers: Record<string, Tensor>) {
  if (maskHead === undefined) return {};
  const regions = poolRegions(cells, fedMatrix('mask', answers), MASK_POOL_SIDE);
  const logits = reshape(maskHead.forward(regions, 'training'), [-1]);
  const ofClass = gather(logits, answers.mask_pixels);
  const count = divisor(sideOf(answers.mask_targets, 0));
  return { loss_mask: tf.div(sigmoidCrossEntropy(ofClass, answers.mask_targets), count) };
}

function gradientNorms(
  gradients: readonly Tensor[],
  keys: readonly string[],
  probes: readonly string[],
): Record<string, Tensor> {
  if (probes.length === 0) return {};
  const norms = gradients.map(norm);
  const all = tf.sqrt(norms.map((each) => tf.square(each)).reduce((sum, square) => tf.add(sum, square)));
  const ofProbes = probes.map((probe) => [`gradient_norm/${probe}`, norms[keys.indexOf(probe)]] as const);
  return { gradient_norm: all, ...Object.fromEntries(ofProbes) };
}
