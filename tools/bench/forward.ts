/**
 * Features of images, forward only, ResNet-50: what an evaluation waits for once the images are decoded. Ours takes bytes and
 * normalises them in the graph; the peers take normalised tensors that lie ready.
 */

import { join } from 'node:path';
import type { BenchArguments } from './arguments.js';
import type { Benchmark } from './benchmark.js';

const STEPS_PER_TURN = 3;
const WARM_UP_STEPS = 2;
/** An evaluation keeps nothing for a backward pass: it takes more images at once than a training step. */
const IMAGES_PER_TRAINING_IMAGE = 4;

/**
 * @param oursFolder of the compiled benchmarks
 * @param peersFolder of the Python peers
 */
export function forwardBenchmark(
  { batch: trainingBatch, side, threads, python }: BenchArguments,
  oursFolder: string,
  peersFolder: string,
): Benchmark {
  const batch = IMAGES_PER_TRAINING_IMAGE * trainingBatch;
  const sizes = ['--batch', String(batch), '--side', String(side), '--threads', String(threads)];
  const peer = (name: string, layout: string) => ({
    name,
    command: python,
    args: ['-B', join(peersFolder, 'forward.py'), '--layout', layout, ...sizes],
  });
  return {
    ours: { name: 'scrl', command: process.execPath, args: [join(oursFolder, 'ours-forward.js'), ...sizes] },
    peers: [peer('PyTorch, NCHW', 'nchw'), peer('PyTorch, channels_last', 'channels_last')],
    cases: [
      {
        bench: 'forward',
        title: `Features, ResNet-50, ${batch} images of ${side} px, ${threads} threads`,
        unit: 'ms per step',
        settings: { batch, side, precision: 'float32' },
        request: `step ${STEPS_PER_TURN}`,
        warmUp: `step ${WARM_UP_STEPS}`,
      },
    ],
  };
}
