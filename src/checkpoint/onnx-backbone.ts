/**
 * A ResNet backbone as an ONNX model, from a state dict with torchvision's names.
 *
 * Names tell the structure (blocks in each stage, two or three convolutions in a block) and shapes the widths; what neither
 * tells is torchvision's: in a block the first 3x3 convolution has the stride. Batch norms stay nodes of their own, so
 * that every parameter is in the file as it was; runtimes fold them when they load it.
 */

import { type LazyTensor, loadTensor, type TensorSource, toFloat32 } from '../core/array.js';
import { UserError } from '../core/errors.js';
import type { OnnxModel, OnnxValue } from '../formats/onnx/model.js';
import { isFloat } from './convert-values.js';
import { isCounter } from './names/resnet.js';
import { type Convolution, type Feature, LayerGraph, slidingWindow } from './onnx-layers.js';
import { matchStateDict } from './state-dict.js';

export interface OnnxBackboneOptions {
  /** The state dict's file, for messages. */
  where: string;
  /** Goes into the file as it is. */
  metadata?: ReadonlyMap<string, string>;
}

const OPSET = 17;
/** The format's version when operator set 17 came out. */
const IR_VERSION = 8;

const DOC =
  'ResNet backbone. The input is an RGB image in planes, scaled to 0..1 and normalised: minus the mean (0.485, 0.456, ' +
  '0.406), over the standard deviation (0.229, 0.224, 0.225).';

/**
 * The model's input is `images` [N, 3, H, W], float32, with N, H and W free; its outputs are the maps after each stage, `res2`
 * [N, C, H/4, W/4] to `res5` [N, C, H/32, W/32] (sides rounded up), and `pooled` [N, C], the mean of `res5` over the map.
 *
 * @param tensors the state dict without its classifier: filters OIHW, of any floating type; they become float32 as they
 *   are loaded. Batch counters are left out
 * @throws UserError that lists what is missing, unexpected or misshapen
 */
export function backboneToOnnx(
  tensors: ReadonlyMap<string, TensorSource>,
  { where, metadata = new Map() }: OnnxBackboneOptions,
): OnnxModel {
  const weights = new Map([...tensors].filter(([key]) => !isCounter(key)));
  const graph = new LayerGraph(weights);
  const outputs = addResNet(graph, structureOf(weights.keys()));
  matchStateDict(graph.expected, weights, where);
  const initializers = new Map(
    [...graph.expected.keys()].map((key) => [key, inFloat32(key, weights, where)] as const),
  );
  return {
    irVersion: IR_VERSION,
    opset: OPSET,
    producer: 'scrl',
    doc: DOC,
    graph: { name: 'backbone', inputs: [IMAGES], outputs, nodes: graph.nodes, initializers },
    metadata,
  };
}

const IMAGES = {
  name: 'images',
  dtype: 'float32',
  shape: ['N', 3, 'H', 'W'],
  doc: 'Normalised RGB images',
} as const;

interface Structure {
  /** Sides of the filters of each block: 3x3 and 3x3, or the bottleneck's 1x1, 3x3 and 1x1. */
  readonly kernels: readonly number[];
  /** Number of blocks in each stage. */
  readonly blocks: readonly number[];
}

/** What the names say. Never more blocks than names, however large a number in one of them. */
function structureOf(names: Iterable<string>): Structure {
  const blocks = Array.from({ length: 4 }, () => new Set<string>());
  let bottleneck = false;
  for (const name of names) {
    const match = /^layer([1-4])\.(\d+)\.([^.]+)/.exec(name);
    if (match === null) continue;
    const [, stage, block, layer] = match;
    blocks[Number(stage) - 1].add(block);
    bottleneck ||= layer === 'conv3' || layer === 'bn3';
  }
  return { kernels: bottleneck ? [1, 3, 1] : [3, 3], blocks: blocks.map(({ size }) => Math.max(size, 1)) };
}

/** Adds all layers. @returns the outputs of the graph */
function addResNet(graph: LayerGraph, { kernels, blocks }: Structure): OnnxValue[] {
  const images = { name: IMAGES.name, channels: IMAGES.shape[1] };
  const stem = graph.relu('relu', graph.convNorm(['conv1', 'bn1'], images, { kernel: 7, stride: 2 }));
  let x = graph.node('MaxPool', 'maxpool', [stem], { attributes: slidingWindow(3, 2) });
  const outputs: OnnxValue[] = [];
  for (const [i, count] of blocks.entries()) {
    const output = `res${i + 2}`;
    for (let j = 0; j < count; j++) {
      const stride = i > 0 && j === 0 ? 2 : 1;
      const convolutions = kernels.map((kernel, k) => ({
        kernel,
        stride: k === kernels.indexOf(3) ? stride : 1,
      }));
      x = addBlock(graph, `layer${i + 1}.${j}`, x, convolutions, j === count - 1 ? output : undefined);
    }
    const stride = 4 << i;
    const doc = `Features after layer${i + 1}: sides of the images over ${stride}, rounded up`;
    const shape = ['N', x.channels, `H${stride}`, `W${stride}`];
    outputs.push({ name: output, dtype: 'float32', shape, doc });
  }
  const mean = graph.node('GlobalAveragePool', 'avgpool', [x]);
  const pooled = graph.node('Flatten', 'flatten', [mean], {
    attributes: { axis: { int: 1 } },
    output: 'pooled',
  });
  const doc = 'Mean of res5 over the map';
  return [...outputs, { name: pooled.name, dtype: 'float32', shape: ['N', pooled.channels], doc }];
}

/** Convolutions with ReLU between them, and the block's input (or its 1x1 projection) added before the last ReLU. */
function addBlock(
  graph: LayerGraph,
  path: string,
  input: Feature,
  convolutions: readonly Convolution[],
  output: string | undefined,
): Feature {
  const last = convolutions.length;
  let x = input;
  for (const [i, convolution] of convolutions.entries()) {
    if (i > 0) x = graph.relu(`${path}.relu${i}`, x);
    x = graph.convNorm([`${path}.conv${i + 1}`, `${path}.bn${i + 1}`], x, convolution);
  }
  const stride = Math.max(...convolutions.map((convolution) => convolution.stride));
  const shortcut =
    stride === 1 && x.channels === input.channels
      ? input
      : graph.convNorm([`${path}.downsample.0`, `${path}.downsample.1`], input, {
          kernel: 1,
          stride,
          outputs: x.channels,
        });
  return graph.relu(`${path}.relu${last}`, graph.node('Add', `${path}.add`, [x, shortcut]), output);
}

function inFloat32(key: string, weights: ReadonlyMap<string, TensorSource>, where: string): LazyTensor {
  const source = weights.get(key);
  if (source === undefined) throw new Error(`unreachable: ${key} was matched`);
  if (!isFloat(source.dtype)) {
    throw new UserError('weights must be floating-point numbers', {
      where,
      key,
      value: source.dtype,
      remedy: 'export the network as it was before it was quantised',
    });
  }
  const load = async () => toFloat32(await loadTensor(source));
  return { dtype: 'float32', shape: source.shape, load };
}
