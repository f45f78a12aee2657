/**
 * The nodes of a convolutional network, collected layer by layer under the layers' paths, together with the names and shapes
 * of the tensors that they need from a state dict of PyTorch's.
 */

import type { TensorSource } from '../core/array.js';
import type { OnnxAttribute, OnnxNode } from '../formats/onnx/model.js';

/** PyTorch's default, which ResNets keep. */
const EPSILON = 1e-5;

/** A value of the graph, and its channels. */
export interface Feature {
  readonly name: string;
  readonly channels: number;
}

/** Square filters. */
export interface Convolution {
  readonly kernel: number;
  readonly stride: number;
}

/** Attributes of a square window, padded so that stride 1 would keep the size. */
export function slidingWindow(side: number, stride: number): Record<string, OnnxAttribute> {
  const pad = (side - 1) / 2;
  return {
    kernel_shape: { ints: [side, side] },
    strides: { ints: [stride, stride] },
    pads: { ints: [pad, pad, pad, pad] },
  };
}

export class LayerGraph {
  readonly nodes: OnnxNode[] = [];
  /** Shapes of the tensors that the layers so far need, by state-dict name. */
  readonly expected = new Map<string, readonly number[]>();
  readonly #found: ReadonlyMap<string, TensorSource>;

  /** @param found the state dict: its shapes tell how wide layers are */
  constructor(found: ReadonlyMap<string, TensorSource>) {
    this.#found = found;
  }

  /** A convolution without bias, and its batch norm. @param outputs channels, by default as many as its tensors say */
  convNorm(
    [conv, norm]: readonly [conv: string, norm: string],
    input: Feature,
    { kernel, stride }: Convolution,
    outputs?: number,
  ): Feature {
    const channels =
      outputs ?? this.#width(`${conv}.weight`) ?? this.#width(`${norm}.weight`) ?? input.channels;
    const filters = this.#parameter(`${conv}.weight`, [channels, input.channels, kernel, kernel]);
    const window = slidingWindow(kernel, stride);
    const x = this.node('Conv', conv, [input, filters], { attributes: window, channels });
    const statistics = ['weight', 'bias', 'running_mean', 'running_var'].map((name) =>
      this.#parameter(`${norm}.${name}`, [channels]),
    );
    const attributes = { epsilon: { float: EPSILON } };
    return this.node('BatchNormalization', norm, [x, ...statistics], { attributes });
  }

  relu(path: string, input: Feature, output?: string): Feature {
    return this.node('Relu', path, [input], { output });
  }

  /**
   * Adds a node with one output.
   *
   * @param output name of its value, by default the node's own
   * @param channels of its value, by default those of the first input
   */
  node(
    op: string,
    path: string,
    inputs: readonly [Feature, ...{ readonly name: string }[]],
    {
      attributes = {},
      output = path,
      channels = inputs[0].channels,
    }: {
      attributes?: Readonly<Record<string, OnnxAttribute>>;
      output?: string | undefined;
      channels?: number;
    } = {},
  ): Feature {
    this.nodes.push({
      name: path,
      op,
      inputs: inputs.map(({ name }) => name),
      outputs: [output],
      attributes,
    });
    return { name: output, channels };
  }

  #parameter(name: string, shape: readonly number[]): { name: string } {
    this.expected.set(name, shape);
    return { name };
  }

  /** Number of outputs according to a tensor, when there is one. */
  #width(name: string): number | undefined {
    return this.#found.get(name)?.shape[0];
  }
}
