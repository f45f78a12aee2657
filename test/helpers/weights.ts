/** A file of weights for tests of whole commands: a ResNet-18 with torchvision's names. */

import { resnetNames, resnetShapes } from '../../src/checkpoint/names/resnet.js';
import type { StateDict } from '../../src/checkpoint/state-dict.js';
import { writeWeights } from '../../src/checkpoint/write-weights.js';
import { elementCount, hostTensor } from '../../src/core/array.js';
import { RandomStream } from '../../src/core/rng.js';

/** @param scale of the filters; 1 keeps the size of what passes through */
export async function writeResNet18(path: string, seed: number, scale = 1): Promise<void> {
  const dict: StateDict = new Map();
  const shapes = resnetShapes('resnet18');
  for (const [name, ours] of resnetNames('torchvision', 'resnet18')) {
    const shape = shapes.get(ours);
    if (shape === undefined) continue;
    if (name.endsWith('num_batches_tracked')) {
      dict.set(name, hostTensor('int64', [], BigInt64Array.of(1n)));
      continue;
    }
    const data = new Float32Array(elementCount(shape));
    if (shape.length === 4) {
      const fanIn = elementCount(shape.slice(1));
      new RandomStream(seed, `test/${name}`).fillNormal(data, scale * Math.sqrt(2 / fanIn));
    } else data.fill(/\.(weight|running_var)$/.test(name) ? 1 : 0);
    dict.set(name, hostTensor('float32', shape, data));
  }
  await writeWeights(path, 'pth', dict);
}
