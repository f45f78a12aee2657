/** What an evaluation wants of a network: pooled features and, behind a linear classifier, logits. In inference. */

import type { Runtime } from '../../engine/runtime.js';
import type { Step } from '../../engine/step.js';
import type { Linear } from '../../nn/layers.js';
import { globalAveragePool } from '../../ops/average-pool.js';
import type { Tensor } from '../../ops/tf.js';
import { normalizeBytes } from '../../views/photometric.js';
import type { ResNet } from '../backbone/resnet.js';

/**
 * @param shape B images of S x S pixels
 * @returns a step that takes `images` [B, S, S, 3] uint8 and gives `features` [B, C] and, with a classifier, `logits`
 * [B, classes]; statistics and weights stay as they are
 */
export function compileEvaluation(
  runtime: Runtime,
  name: string,
  { encoder, classifier }: { encoder: ResNet; classifier?: Linear | undefined },
  { batch, side }: { batch: number; side: number },
): Step<'images', string> {
  const inputs = { images: { type: 'uint8', shape: [batch, side, side, 3] } } as const;
  return runtime.compile<'images', string>(name, inputs, ({ images }) => {
    const features = globalAveragePool(encoder.forward(normalizeBytes(images), 'inference').res5);
    const outputs: Record<string, Tensor> = { features };
    if (classifier !== undefined) outputs.logits = classifier.forward(features);
    return outputs;
  });
}
