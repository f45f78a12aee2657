import { describe, expect, it } from 'vitest';
import { backboneToOnnx } from '../../src/checkpoint/onnx-backbone.js';
import { bytesOf, hostTensor, loadTensor, type TensorSource } from '../../src/core/array.js';
import { UserError } from '../../src/core/errors.js';
import type { OnnxModel, OnnxNode } from '../../src/formats/onnx/model.js';

type Weights = Map<string, TensorSource>;

/** A tensor of which only type and shape matter. */
const announced = (...shape: number[]): TensorSource => ({
  dtype: 'float32',
  shape,
  load: () => Promise.reject(new Error('was loaded')),
});

/** A state dict with torchvision's names. @param width of the stem: 64 in real networks */
function stateDict(blocks: readonly number[], expansion: 1 | 4, width = 64): Weights {
  const weights: Weights = new Map();
  const convNorm = (conv: string, norm: string, shape: number[]): void => {
    weights.set(`${conv}.weight`, announced(...shape));
    for (const name of ['weight', 'bias', 'running_mean', 'running_var']) {
      weights.set(`${norm}.${name}`, announced(shape[0]));
    }
    weights.set(`${norm}.num_batches_tracked`, hostTensor('int64', [], BigInt64Array.of(7n)));
  };
  convNorm('conv1', 'bn1', [width, 3, 7, 7]);
  let inputs = width;
  for (const [i, count] of blocks.entries()) {
    const inner = width << i;
    const outputs = inner * expansion;
    for (let j = 0; j < count; j++) {
      const path = `layer${i + 1}.${j}`;
      const [a, b] = expansion === 1 ? [inputs, 3] : [inputs, 1];
      convNorm(`${path}.conv1`, `${path}.bn1`, [inner, a, b, b]);
      convNorm(`${path}.conv2`, `${path}.bn2`, [inner, inner, 3, 3]);
      if (expansion === 4) convNorm(`${path}.conv3`, `${path}.bn3`, [outputs, inner, 1, 1]);
      if (j === 0 && (i > 0 || inputs !== outputs)) {
        convNorm(`${path}.downsample.0`, `${path}.downsample.1`, [outputs, inputs, 1, 1]);
      }
      inputs = outputs;
    }
  }
  return weights;
}

const where = 'weights.pth';
const convert = (weights: Weights): OnnxModel => backboneToOnnx(weights, { where });
const resnet18 = () => stateDict([2, 2, 2, 2], 1);
const resnet50 = () => stateDict([3, 4, 6, 3], 4);

function countOps({ graph }: OnnxModel): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { op } of graph.nodes) counts[op] = (counts[op] ?? 0) + 1;
  return counts;
}

function nodeAt({ graph }: OnnxModel, name: string): OnnxNode {
  const found = graph.nodes.filter((node) => node.name === name);
  expect(found, name).toHaveLength(1);
  return found[0];
}

describe('backboneToOnnx', () => {
  it.each([
    ['resnet18', [2, 2, 2, 2], 1, { conv: 20, relu: 17, add: 8 }],
    ['resnet34', [3, 4, 6, 3], 1, { conv: 36, relu: 33, add: 16 }],
    ['resnet50', [3, 4, 6, 3], 4, { conv: 53, relu: 49, add: 16 }],
    ['resnet101', [3, 4, 23, 3], 4, { conv: 104, relu: 100, add: 33 }],
  ] as const)('has the layers of %s', (_, blocks, expansion, { conv, relu, add }) => {
    const weights = stateDict(blocks, expansion);
    const model = convert(weights);
    expect(countOps(model)).toEqual({
      Conv: conv,
      BatchNormalization: conv,
      Relu: relu,
      MaxPool: 1,
      Add: add,
      GlobalAveragePool: 1,
      Flatten: 1,
    });
    const kept = [...weights.keys()].filter((key) => !key.endsWith('num_batches_tracked'));
    expect([...model.graph.initializers.keys()].sort()).toEqual(kept.sort());
    expect(model.graph.outputs.map(({ name, shape }) => [name, shape])).toEqual([
      ['res2', ['N', 64 * expansion, 'H4', 'W4']],
      ['res3', ['N', 128 * expansion, 'H8', 'W8']],
      ['res4', ['N', 256 * expansion, 'H16', 'W16']],
      ['res5', ['N', 512 * expansion, 'H32', 'W32']],
      ['pooled', ['N', 512 * expansion]],
    ]);
  });

  it('names each value once, and before it is read', () => {
    const { graph } = convert(resnet50());
    const known = new Set([...graph.inputs.map(({ name }) => name), ...graph.initializers.keys()]);
    const read = new Set<string>();
    for (const { name, inputs, outputs } of graph.nodes) {
      for (const input of inputs) {
        expect(known, `input of ${name}`).toContain(input);
        read.add(input);
      }
      for (const output of outputs) {
        expect(known, `output of ${name}`).not.toContain(output);
        known.add(output);
      }
    }
    expect(new Set(graph.nodes.map(({ name }) => name)).size).toBe(graph.nodes.length);
    expect([...known].filter((name) => !read.has(name))).toEqual(['pooled']);
  });

  it('names nodes by the paths of layers', () => {
    const names = convert(resnet50()).graph.nodes.map(({ name }) => name);
    expect(names.slice(0, 4)).toEqual(['conv1', 'bn1', 'relu', 'maxpool']);
    const block = ['conv1', 'bn1', 'relu1', 'conv2', 'bn2', 'relu2', 'conv3', 'bn3'];
    const projection = ['downsample.0', 'downsample.1'];
    expect(names.slice(4, 24)).toEqual([
      ...[...block, ...projection, 'add', 'relu3'].map((name) => `layer1.0.${name}`),
      ...block.map((name) => `layer1.1.${name}`),
    ]);
    expect(names.slice(-3)).toEqual(['layer4.2.relu3', 'avgpool', 'flatten']);
  });

  it('wires a block and puts the stride into its 3x3 convolution', () => {
    const bottleneck = convert(resnet50());
    const strideOf = (model: OnnxModel, name: string) => nodeAt(model, name).attributes?.strides;
    expect(nodeAt(bottleneck, 'layer2.0.conv2')).toEqual({
      name: 'layer2.0.conv2',
      op: 'Conv',
      inputs: ['layer2.0.relu1', 'layer2.0.conv2.weight'],
      outputs: ['layer2.0.conv2'],
      attributes: {
        kernel_shape: { ints: [3, 3] },
        strides: { ints: [2, 2] },
        pads: { ints: [1, 1, 1, 1] },
      },
    });
    expect(nodeAt(bottleneck, 'layer2.0.bn2')).toMatchObject({
      inputs: ['conv2', 'bn2.weight', 'bn2.bias', 'bn2.running_mean', 'bn2.running_var'].map(
        (name) => `layer2.0.${name}`,
      ),
      attributes: { epsilon: { float: 1e-5 } },
    });
    expect(strideOf(bottleneck, 'layer2.0.conv1')).toEqual({ ints: [1, 1] });
    expect(strideOf(bottleneck, 'layer2.0.downsample.0')).toEqual({ ints: [2, 2] });
    expect(strideOf(bottleneck, 'layer1.0.downsample.0')).toEqual({ ints: [1, 1] });
    expect(strideOf(bottleneck, 'layer2.1.conv2')).toEqual({ ints: [1, 1] });
    expect(nodeAt(bottleneck, 'layer2.0.downsample.0').inputs[0]).toBe('res2');
    expect(nodeAt(bottleneck, 'layer2.0.add').inputs).toEqual(['layer2.0.bn3', 'layer2.0.downsample.1']);
    expect(nodeAt(bottleneck, 'layer2.1.add').inputs).toEqual(['layer2.1.bn3', 'layer2.0.relu3']);

    const basic = convert(resnet18());
    expect(strideOf(basic, 'layer2.0.conv1')).toEqual({ ints: [2, 2] });
    expect(strideOf(basic, 'layer2.0.conv2')).toEqual({ ints: [1, 1] });
    expect(nodeAt(basic, 'layer1.0.add').inputs).toEqual(['layer1.0.bn2', 'maxpool']);
  });

  it('takes other widths and depths', () => {
    const model = convert(stateDict([1, 1, 2, 1], 4, 16));
    expect(countOps(model)).toMatchObject({ Conv: 1 + 5 * 3 + 4, Add: 5 });
    expect(model.graph.outputs.at(-1)?.shape).toEqual(['N', 512]);
  });

  it('says what the input is, and carries metadata', () => {
    const metadata = new Map([['recipe', 'scrl']]);
    const model = backboneToOnnx(resnet18(), { where, metadata });
    expect(model).toMatchObject({ irVersion: 8, opset: 17, producer: 'scrl', metadata });
    expect(model.doc).toContain('RGB');
    for (const number of ['0.485', '0.456', '0.406', '0.229', '0.224', '0.225']) {
      expect(model.doc).toContain(number);
    }
    expect(model.graph.inputs).toMatchObject([
      { name: 'images', dtype: 'float32', shape: ['N', 3, 'H', 'W'] },
    ]);
  });

  it('makes all weights float32, when they are asked for', async () => {
    const weights = resnet18();
    const half = hostTensor('float16', [64], new Uint16Array(64).fill(0x3e00));
    const double = hostTensor('float64', [64], new Float64Array(64).fill(0.1));
    weights.set('bn1.weight', half).set('bn1.bias', double);
    const { initializers } = convert(weights).graph;
    const load = async (key: string): Promise<TensorSource> => {
      const source = initializers.get(key);
      if (source === undefined) throw new Error(`${key} is missing`);
      return loadTensor(source);
    };
    expect(await load('bn1.weight')).toEqual(hostTensor('float32', [64], new Float32Array(64).fill(1.5)));
    expect(await load('bn1.bias')).toEqual(hostTensor('float32', [64], new Float32Array(64).fill(0.1)));
    await expect(load('conv1.weight')).rejects.toThrow('was loaded');
  });

  it('leaves float32 weights as they are, bit by bit', async () => {
    const weights = resnet18();
    const bits = Uint32Array.from({ length: 64 }, (_, i) => 0x7f800001 + i);
    const nans = hostTensor('float32', [64], new Float32Array(bits.buffer));
    const source = convert(weights.set('bn1.bias', nans)).graph.initializers.get('bn1.bias');
    if (source === undefined) throw new Error('bn1.bias is missing');
    expect(Buffer.from(bytesOf(await loadTensor(source))).equals(Buffer.from(bits.buffer))).toBe(true);
  });
});

describe('backboneToOnnx refuses', () => {
  const refusal = (change: (weights: Weights) => void, weights = resnet50()): string => {
    change(weights);
    try {
      convert(weights);
    } catch (error) {
      expect(error).toBeInstanceOf(UserError);
      return (error as Error).message;
    }
    throw new Error('was not refused');
  };

  it.each([
    'conv1.weight',
    'bn1.running_var',
    'layer1.0.conv3.weight',
    'layer3.5.bn2.bias',
    'layer4.0.downsample.0.weight',
  ])('a state dict without %s', (key) => {
    expect(refusal((weights) => weights.delete(key))).toBe(
      `weights.pth: does not fit: 264 of 265 tensors match\n  missing (1):\n    ${key}\n  load a checkpoint of the same architecture`,
    );
  });

  it('a projection that is missing altogether', () => {
    const message = refusal((weights) => {
      for (const key of [...weights.keys()]) if (key.includes('layer1.0.downsample')) weights.delete(key);
    });
    expect(message).toContain('260 of 265 tensors match\n  missing (5):\n    layer1.0.downsample.0.weight');
  });

  it('a block or a stage that is missing', () => {
    const without = (prefix: string) => (weights: Weights) => {
      for (const key of [...weights.keys()]) if (key.startsWith(prefix)) weights.delete(key);
    };
    expect(refusal(without('layer2.1.'))).toContain('    layer2.1.conv1.weight\n');
    expect(refusal(without('layer3.'))).toContain('    layer3.0.conv1.weight\n');
  });

  it('a classifier, and names of others', () => {
    const message = refusal((weights) => weights.set('fc.weight', announced(1000, 2048)));
    expect(message).toContain('265 of 265 tensors match\n  unexpected (1):\n    fc.weight');
    const prefixed = new Map([...resnet18()].map(([key, tensor]) => [`module.${key}`, tensor]));
    expect(refusal(() => undefined, prefixed)).toMatch(/: 0 of \d+ tensors match\n {2}missing/);
    expect(refusal(() => undefined, new Map())).toMatch(/: 0 of \d+ tensors match\n {2}missing/);
  });

  it('wrong shapes', () => {
    const at = (key: string, ...shape: number[]) =>
      refusal((weights) => weights.set(key, announced(...shape)));
    expect(at('layer1.0.conv2.weight', 64, 64, 1, 1)).toContain(
      'layer1.0.conv2.weight: expected [64, 64, 3, 3], found [64, 64, 1, 1]',
    );
    expect(at('conv1.weight', 64, 3, 3, 3)).toContain(
      'conv1.weight: expected [64, 3, 7, 7], found [64, 3, 3, 3]',
    );
    expect(at('conv1.weight', 64)).toContain('conv1.weight: expected [64, 3, 7, 7], found [64]');
    expect(at('bn1.bias')).toContain('bn1.bias: expected [64], found []');
  });

  it('blocks with absurd numbers, in no time', () => {
    const message = refusal((weights) => weights.set('layer1.99999999999.conv1.weight', announced(1)));
    expect(message).toContain('layer1.3.conv1.weight');
    expect(message).toContain('unexpected (1):\n    layer1.99999999999.conv1.weight');
  });

  it('weights that are no floating-point numbers', () => {
    const message = refusal((weights) =>
      weights.set('bn1.bias', hostTensor('int8', [64], new Int8Array(64))),
    );
    expect(message).toContain('weights.pth: bn1.bias: weights must be floating-point numbers (found "int8")');
  });
});
