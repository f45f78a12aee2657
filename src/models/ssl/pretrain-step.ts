/**
 * One step of BYOL or SCRL pretraining, compiled (SCRL, section 3; Grill et al., 2020):
 *
 * both views of all images in one batch -> online network -> (SCRL: RoIAlign of the matched boxes; BYOL: pooling) ->
 * projector -> predictor, regressed onto the other view's projection by the target network; then LARS for the online
 * side, and the target as moving average.
 *
 * Letters: N images, S side of a view, K boxes of an image, H = W = S / 32, C channels, R = N K rows of a view
 * (R = N for BYOL). Rows of view 1 come first.
 */

import type { Runtime } from '../../engine/runtime.js';
import type { InputSpec, Step } from '../../engine/step.js';
import { globalAveragePool } from '../../ops/average-pool.js';
import { countCorrect } from '../../ops/count-correct.js';
import { crossEntropy } from '../../ops/cross-entropy.js';
import { roiAlign } from '../../ops/roi-align.js';
import { FLOAT, op, type Tensor, tf } from '../../ops/tf.js';
import { updateTarget } from '../../solver/ema.js';
import { norm } from '../../solver/lars.js';
import type { Solver } from '../../solver/solver.js';
import { STRIDES } from '../backbone/resnet.js';
import { outputSpread } from './gauges.js';
import { regressionLoss } from './losses.js';
import type { Networks } from './networks.js';

/** Turns what the loader delivers into normalised views, [2N, S, S, 3] float32. */
export interface ViewStage {
  inputs(images: number, side: number): Record<string, InputSpec>;
  views(inputs: Record<string, Tensor>): Tensor;
}

/** Views that are normalised already: the input `images`, [2N, S, S, 3]. */
export const NORMALIZED_VIEWS: ViewStage = {
  inputs: (images, side) => ({ images: { type: 'float32', shape: [2 * images, side, side, 3] } }),
  views: ({ images }) => images,
};

export interface PretrainShape {
  /** N */
  images: number;
  /** S */
  side: number;
  /** K; SCRL only */
  boxes: number;
}

export interface PretrainStepOptions extends PretrainShape {
  viewStage: ViewStage;
  /** Variables (`module.key`) of which the norm of the gradient is an output, `gradient_norm/NAME`. */
  probes?: readonly string[];
}

/** Side of the last feature map: each of the five halvings rounds up. */
export function featureSide(side: number): number {
  return Math.ceil(side / STRIDES.res5);
}

/**
 * Compiles the step for one shape of batch.
 *
 * Inputs: those of the view stage; `rate` and `target_rate` (scalars: learning rate, EMA's 1 - m); `labels` [N] int32 when there
 * is a classifier; for SCRL `roi_weights` [2N, K, H W] and `valid` [N, K] (1 for a box, 0 for padding; at least two ones).
 * Outputs: `loss`, `spread`, and with a classifier `eval_loss` and `eval_correct` (number of right answers among 2N).
 */
export function compilePretrainStep(
  runtime: Runtime,
  networks: Networks,
  solver: Solver,
  options: PretrainStepOptions,
): Step<string, string> {
  const { images: n, side, viewStage, probes = [] } = options;
  const parameters = networks.trained().flatMap((store) => store.parameters());
  const inputs = { ...viewStage.inputs(n, side), ...stepInputs(networks, options) };
  return runtime.compile<string, string>(`pretrain_${n}`, inputs, (fed) => {
    const views = viewStage.views(fed);
    const rows = rowsOf(networks, options, fed);
    const targets = rows.project(networks.target, views).projections;

    const outputs: Record<string, Tensor> = {};
    const { grads } = tf.valueAndGrads(() => {
      const { projections, features } = rows.project(networks.online, views);
      const predictions = networks.predictor.mlp.forward(projections, 'training', rows.bothWeights);
      const loss = regressionLoss(predictions, targets, rows.weights);
      outputs.loss = tf.keep(loss);
      outputs.spread = tf.keep(outputSpread(projections, rows.bothWeights ?? tf.ones([2 * n, 1])));
      if (networks.classifier === undefined) return loss;
      const labels = tf.concat([fed.labels, fed.labels]);
      const logits = networks.classifier.linear.forward(detach(globalAveragePool(features)));
      const evalLoss = crossEntropy(logits, labels);
      outputs.eval_loss = tf.keep(evalLoss);
      outputs.eval_correct = tf.keep(countCorrect(logits, labels));
      return tf.add(loss, evalLoss);
    })(parameters.map(({ variable }) => variable.read()));

    const updated = solver.update(grads, fed.rate);
    const online = networks.online.store.parameters();
    const target = networks.target.store.parameters();
    updateTarget(
      target.map(({ variable }, i) => ({
        target: variable,
        online: online[i].variable,
        updated: updated[i],
      })),
      fed.target_rate,
    );
    for (const probe of probes) {
      const index = parameters.findIndex(({ variable }) => variable.name === probe);
      outputs[`gradient_norm/${probe}`] = norm(grads[index]);
    }
    return outputs;
  });
}

function stepInputs({ options, classifier }: Networks, shape: PretrainShape): Record<string, InputSpec> {
  const { images, side, boxes } = shape;
  const cells = featureSide(side) ** 2;
  return {
    rate: { type: 'float32', shape: [] },
    target_rate: { type: 'float32', shape: [] },
    ...(classifier && { labels: { type: 'int32', shape: [images] } }),
    ...(options.method === 'scrl' && {
      roi_weights: { type: 'float32', shape: [2 * images, boxes, cells] },
      valid: { type: 'float32', shape: [images, boxes] },
    }),
  };
}

interface Rows {
  /** Backbone, pooling and projector of one branch. */
  project(branch: Networks['online'], views: Tensor): { projections: Tensor; features: Tensor };
  /** [R, 1] */
  weights: Tensor;
  /** [2R, 1]; undefined when all rows count */
  bothWeights: Tensor | undefined;
}

/** What a row is: a pooled image (BYOL), or a box, with padding where an image has fewer than K (SCRL). */
function rowsOf({ options }: Networks, { images, boxes }: PretrainShape, fed: Record<string, Tensor>): Rows {
  if (options.method === 'byol') {
    return {
      weights: tf.ones([images, 1]),
      bothWeights: undefined,
      project(branch, views) {
        const { res5: features } = branch.encoder.forward(views, 'training');
        return { projections: branch.projector.forward(globalAveragePool(features), 'training'), features };
      },
    };
  }
  const weights = tf.reshape(fed.valid, [images * boxes, 1]);
  const bothWeights = tf.concat([weights, weights]);
  return {
    weights,
    bothWeights,
    project(branch, views) {
      const { res5: features } = branch.encoder.forward(views, 'training');
      const pooled = roiAlign(features, fed.roi_weights);
      const rows = tf.reshape(pooled, [2 * images * boxes, branch.encoder.channels]);
      return { projections: branch.projector.forward(rows, 'training', bothWeights), features };
    },
  };
}

/** Recorded beside tfjs's tape, so no gradient passes. */
function detach(x: Tensor): Tensor {
  return op('StopGradient', [x], FLOAT);
}
