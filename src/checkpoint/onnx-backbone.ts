/**
 * A ResNet backbone as an ONNX model, from a state dict with torchvision's names.
 *
 * Names tell the structure (blocks in each stage, two or three convolutions in a block) and shapes the widths; the rest is
 * torchvision's, as `resnet-layers.ts` has it. Batch norms stay nodes of their own, so
 * that every parameter is in the file as it was; runtimes fold them when they load it.
 */

import { BASIC, BOTTLENECK, type ResNetArchitecture } from '../core/architectures.js';
import { type LazyTensor, loadTensor, type TensorSource, toFloat32 } from '../core/array.js';
import { UserError } from '../core/errors.js';
import type { OnnxModel, OnnxValue } from '../formats/onnx/model.js';
import { type ResNetBlock, type ResNetLayers, resnetLayers } from '../models/backbone/resnet-layers.js';
import { namedBlock, SPELLINGS } from '../models/backbone/spellings.js';
import { isFloat } from './convert-values.js';
import { isCounter } from './names/resnet.js';
import { type Feature, LayerGraph, slidingWindow } from './onnx-layers.js';
import { matchStateDict } from './state-dict.js';

export interface OnnxBackboneOptions {
  /** The state dict's file, for messages. */
  where: string;
  /** Goes into the file as it is. */
  metadata?: ReadonlyMap<string, string>;
}

const SPELLING = SPELLINGS.torchvision;

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
  const outputs = addResNet(graph, resnetLayers(architectureOf(weights.keys())));
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

/** What the names say. Never more blocks than names, however large a number in one of them. */
function architectureOf(names: Iterable<string>): ResNetArchitecture {
  const blocks = Array.from({ length: 4 }, () => new Set<string>());
  let bottleneck = false;
  for (const name of names) {
    const match = /^layer([1-4])\.(\d+)\.([^.]+)/.exec(name);
    if (match === null) continue;
    const [, stage, block, layer] = match;
    blocks[Number(stage) - 1].add(block);
    bottleneck ||= layer === 'conv3' || layer === 'bn3';
  }
  const [a, b, c, d] = blocks.map(({ size }) => Math.max(size, 1));
  return { ...(bottleneck ? BOTTLENECK : BASIC), blocks: [a, b, c, d] };
}

/** Adds all layers. @returns the outputs of the graph */
function addResNet(graph: LayerGraph, { stem, stages }: ResNetLayers): OnnxValue[] {
  const images = { name: IMAGES.name, channels: IMAGES.shape[1] };
  const first = graph.relu('relu', graph.convNorm(SPELLING.stem, images, stem));
  let x = graph.node('MaxPool', 'maxpool', [first], { attributes: slidingWindow(3, 2) });
  const outputs: OnnxValue[] = [];
  for (const [i, blocks] of stages.entries()) {
    const output = `res${i + 2}`;
    for (const block of blocks) x = addBlock(graph, x, block, block === blocks.at(-1) ? output : undefined);
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
  input: Feature,
  block: ResNetBlock,
  output: string | undefined,
): Feature {
  const path = `layer${block.stage}.${block.index}`;
  const { main, shortcut } = namedBlock(block, SPELLING);
  let x = input;
  for (const [i, { names, layer }] of main.entries()) {
    if (i > 0) x = graph.relu(`${path}.relu${i}`, x);
    x = graph.convNorm(names, x, layer);
  }
  const identity =
    shortcut === undefined ? input : graph.convNorm(shortcut.names, input, shortcut.layer, x.channels);
  return graph.relu(`${path}.relu${main.length}`, graph.node('Add', `${path}.add`, [x, identity]), output);
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
