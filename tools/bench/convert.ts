/** Conversion of a ResNet-50 from PyTorch to Detectron2, against Python with torch doing the same, as whole commands. */

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { resnetShapes } from '../../src/checkpoint/names/resnet.js';
import { elementCount, hostTensor, type TensorSource } from '../../src/core/array.js';
import { RandomStream } from '../../src/core/rng.js';
import { writeTorchFile } from '../../src/formats/torch-pth.js';
import type { CommandCase } from './commands.js';

/** A ResNet-50 with a classifier: about 100 MB. */
export async function writeResNet50(path: string): Promise<void> {
  const shapes = new Map([
    ...resnetShapes('resnet50'),
    ['fc.weight', [1000, 2048]],
    ['fc.bias', [1000]],
  ] as const);
  await writeTorchFile(path, new Map([...shapes].map(([key, shape]) => [key, randomTensor(key, shape)])));
}

function randomTensor(key: string, shape: readonly number[]): TensorSource {
  if (key.endsWith('num_batches_tracked')) return hostTensor('int64', [], BigInt64Array.of(1n));
  const random = new RandomStream(0, key);
  const data = Float32Array.from({ length: elementCount(shape) }, () => random.uniform());
  return hostTensor('float32', shape, data);
}

export function convertCase(
  folder: string,
  { python }: { python: string },
  oursFolder: string,
  peersFolder: string,
): CommandCase {
  const input = join(folder, 'resnet50.pth');
  const output = join(folder, 'resnet50.pkl');
  return {
    bench: 'convert',
    title: 'ResNet-50 of 100 MB from .pth to Detectron2 .pkl, the whole command',
    settings: { parameters: 25_557_032 },
    commands: [
      {
        name: 'scrl',
        command: process.execPath,
        args: [join(oursFolder, '../../src/cli/scrl.cjs'), 'convert', input, output, '--json'],
      },
      { name: 'torch', command: python, args: ['-B', join(peersFolder, 'convert.py'), input, output] },
    ],
    figures: (out) => String(JSON.parse(out).output.tensors),
    prepare: () => rm(output, { force: true }),
  };
}
