/** Initial values, those of PyTorch's layers and torchvision's ResNets. All are drawn in state-dict order. */

import type { RandomStream } from '../core/rng.js';

/** Fills a new tensor of a state-dict shape. */
export type Initializer = (data: Float32Array, stream: RandomStream) => void;

export function constant(value: number): Initializer {
  return (data) => {
    data.fill(value);
  };
}

/** Normal with variance 2 / fan_out, for filters that a ReLU follows (He et al., 2015). */
export function kaimingNormalFanOut(outputs: number, kernel: number): Initializer {
  const deviation = Math.sqrt(2 / (outputs * kernel * kernel));
  return (data, stream) => stream.fillNormal(data, deviation);
}

/** Uniform in +-1 / sqrt(fan_in), the default of PyTorch's linear layers. */
export function linearUniform(fanIn: number): Initializer {
  const bound = 1 / Math.sqrt(fanIn);
  return (data, stream) => stream.fillUniform(data, -bound, bound);
}
