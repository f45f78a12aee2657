/**
 * Exported backbones in ONNX Runtime: the features are those of our own forward pass, and ONNX's checker finds nothing wrong.
 * Needs onnxruntime-node (`npm install --no-save onnxruntime-node@1.30.0`: 290 MB, which is why it is no dependency) and a
 * Python with onnx: `$SCRL_PYTHON`, else `python3`.
 */

import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadModuleState } from '../../src/checkpoint/module-state.js';
import { backboneToOnnx } from '../../src/checkpoint/onnx-backbone.js';
import type { StateDict } from '../../src/checkpoint/state-dict.js';
import type { ResNetName } from '../../src/core/architectures.js';
import { hostTensor } from '../../src/core/array.js';
import { writeAtomic } from '../../src/core/replace.js';
import { RandomStream } from '../../src/core/rng.js';
import type { Runtime } from '../../src/engine/runtime.js';
import { writeOnnx } from '../../src/formats/onnx/write.js';
import { ResNet } from '../../src/models/backbone/resnet.js';
import { ModuleStore, type StateEntry } from '../../src/nn/module-store.js';
import { globalAveragePool } from '../../src/ops/average-pool.js';
import { randomArray } from '../helpers/arrays.js';
import { openRuntime } from '../helpers/engine.js';

/** The part of onnxruntime-node that is used. */
interface OrtTensor {
  readonly data: Float32Array;
  readonly dims: readonly number[];
}
interface OnnxRuntime {
  InferenceSession: {
    create(
      path: string,
    ): Promise<{ run(feeds: Record<string, OrtTensor>): Promise<Record<string, OrtTensor>> }>;
  };
  Tensor: new (type: 'float32', data: Float32Array, dims: readonly number[]) => OrtTensor;
}

function loadOnnxRuntime(): OnnxRuntime {
  try {
    return createRequire(new URL('../../package.json', import.meta.url))('onnxruntime-node') as OnnxRuntime;
  } catch (cause) {
    throw new Error(
      'cannot load onnxruntime-node: run npm install --no-save --no-audit --no-fund onnxruntime-node@1.30.0',
      { cause },
    );
  }
}

const SCRIPT = fileURLToPath(new URL('./python/onnx_check.py', import.meta.url));
const OUTPUTS = ['res2', 'res3', 'res4', 'res5', 'pooled'] as const;
/** [N, H, W]; odd sides show that both round up. */
const SIZES = [
  [2, 64, 64],
  [1, 75, 102],
] as const;

let folder: string;
let runtime: Runtime;
let ort: OnnxRuntime;
beforeAll(async () => {
  ort = loadOnnxRuntime();
  folder = await mkdtemp(join(tmpdir(), 'scrl-parity-'));
  runtime = await openRuntime();
});
afterAll(async () => {
  runtime?.close();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

const CHILDREN: Readonly<Record<string, string>> = {
  0: 'conv1',
  1: 'bn1',
  4: 'layer1',
  5: 'layer2',
  6: 'layer3',
  7: 'layer4',
};

/** torchvision's name for a key of ours. */
function torchvisionName(key: string): string {
  return key.replace(/^encoder\.(\d)/, (_, child: string) => CHILDREN[child]);
}

/** Values as of a trained network: no batch norm is the identity, and features neither vanish nor explode. */
function randomValues({ key, role, shape, variable }: StateEntry): Float32Array {
  const data = new Float32Array(variable.size);
  const stream = new RandomStream(7, `parity/onnx/${key}`);
  if (role === 'conv') stream.fillNormal(data, Math.sqrt(2 / (shape[1] * shape[2] * shape[3])));
  else if (role === 'norm-weight') stream.fillUniform(data, 0.5, 1);
  else if (key.endsWith('.running_var')) stream.fillUniform(data, 0.5, 1.5);
  else stream.fillNormal(data, 0.3);
  return data;
}

/** [N, H, W, C] to [N, C, H, W]; what has no map stays. */
function toPlanes(data: ArrayLike<number>, [n, c, h = 1, w = 1]: readonly number[]): Float32Array {
  const planes = new Float32Array(n * c * h * w);
  for (let i = 0; i < n; i++) {
    for (let at = 0; at < h * w; at++) {
      for (let k = 0; k < c; k++) planes[(i * c + k) * h * w + at] = data[(i * h * w + at) * c + k];
    }
  }
  return planes;
}

describe.each(['resnet18', 'resnet50'] as const)('%s', (name: ResNetName) => {
  let path: string;
  let encoder: ResNet;
  beforeAll(async () => {
    path = join(folder, `${name}.onnx`);
    const store = new ModuleStore(runtime, name);
    encoder = new ResNet(store, 'encoder.', name);
    const state: StateDict = new Map(
      store.entries.map((entry) => [entry.key, hostTensor('float32', entry.shape, randomValues(entry))]),
    );
    await loadModuleState(store, state, 'random weights');
    const renamed = new Map([...state].map(([key, tensor]) => [torchvisionName(key), tensor]));
    const metadata = new Map([['weights', 'random']]);
    const model = backboneToOnnx(renamed, { where: 'random weights', metadata });
    await writeAtomic(path, (file) => writeOnnx(file, model));
  });

  it('passes the checker of ONNX', async () => {
    await promisify(execFile)(process.env.SCRL_PYTHON ?? 'python3', [SCRIPT, path]);
  });

  // Measured: the largest difference is 2e-6 of the largest feature. The bound leaves room for the kernels of other machines.
  it.each(SIZES)('gives the same features in ONNX Runtime, %i images of %i x %i', async (n, h, w) => {
    const inputs = { images: { type: 'float32', shape: [n, h, w, 3] } } as const;
    const step = runtime.compile(`${name}_${h}_${w}`, inputs, ({ images }) => {
      const maps = encoder.forward(images, 'inference');
      return { ...maps, pooled: globalAveragePool(maps.res5) };
    });
    const images = randomArray(n * h * w * 3, 'images').map((value) => 2 * value);
    const ours = await step.run({ images });

    const session = await ort.InferenceSession.create(path);
    const planes = new ort.Tensor('float32', toPlanes(images, [n, 3, h, w]), [n, 3, h, w]);
    const theirs = await session.run({ images: planes });

    expect(Object.keys(theirs)).toEqual(OUTPUTS);
    for (const [i, output] of OUTPUTS.entries()) {
      const { data, dims } = theirs[output];
      const stride = 4 << i;
      const map = output === 'pooled' ? [] : [Math.ceil(h / stride), Math.ceil(w / stride)];
      expect([dims[0], ...dims.slice(2)], output).toEqual([n, ...map]);
      const expected = toPlanes(ours[output] as Float32Array, dims);
      expect(data.length, output).toBe(ours[output].length);
      const largest = expected.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
      expect(largest, output).toBeGreaterThan(0.1);
      const error = data.reduce((max, value, at) => Math.max(max, Math.abs(value - expected[at])), 0);
      expect(error / largest, output).toBeLessThan(1e-4);
    }
  });
});
