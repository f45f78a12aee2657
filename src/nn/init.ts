/** Initial values, those of PyTorch's layers, torchvision's ResNets and Detectron2's heads, drawn in state-dict order. */

import type { RandomStream } from '../core/rng.js';

/** Fills a new tensor of a state-dict shape. */
export type Initializer = (data: Float32Array, stream: RandomStream) => void;

export function constant(value: number): Initializer {
  return (data) => {
    data.fill(value);
  };
}

export function normal(deviation: number): Initializer {
  return (data, stream) => stream.fillNormal(data, deviation);
}

/** Normal with variance 2 / fan_out, for filters that a ReLU follows (He et al., 2015). */
export function kaimingNormalFanOut(outputs: number, kernel: number): Initializer {
  return normal(Math.sqrt(2 / (outputs * kernel * kernel)));
}

/** Uniform in +-1 / sqrt(fan_in), the default of PyTorch's linear layers. */
export function linearUniform(fanIn: number): Initializer {
  return uniform(1 / Math.sqrt(fanIn));
}

/** Uniform in +-sqrt(3 / fan_in), which is variance 1 / fan_in: Caffe2's "Xavier fill", for FPN and linear layers of heads. */
export function caffe2XavierFill(fanIn: number): Initializer {
  return uniform(Math.sqrt(3 / fanIn));
}

function uniform(bound: number): Initializer {
  return (data, stream) => stream.fillUniform(data, -bound, bound);
}
