/**
 * One optimisation step of SCRL with ResNet-50 at the reference's sizes: both branches, side classifier, gradients, LARS, moving
 * average. Two peers, both eager PyTorch in float32: NCHW as the reference runs it, and channels_last with batched updates.
 */

import { join } from 'node:path';
import type { BenchArguments } from './arguments.js';
import type { Benchmark } from './benchmark.js';

const STEPS_PER_TURN = 3;
const WARM_UP_STEPS = 2;

/**
 * @param oursFolder of the compiled benchmarks
 * @param peersFolder of the Python peers
 */
export function stepBenchmark(
  { batch, side, threads, python }: BenchArguments,
  oursFolder: string,
  peersFolder: string,
): Benchmark {
  const sizes = ['--batch', String(batch), '--side', String(side), '--threads', String(threads)];
  const peer = (name: string, layout: string) => ({
    name,
    command: python,
    args: ['-B', join(peersFolder, 'scrl_step.py'), 'serve', '--layout', layout, ...sizes],
  });
  return {
    ours: { name: 'scrl', command: process.execPath, args: [join(oursFolder, 'ours-step.js'), ...sizes] },
    peers: [peer('PyTorch, NCHW', 'nchw'), peer('PyTorch, channels_last', 'channels_last')],
    cases: [
      {
        bench: 'step',
        title: `SCRL step, ResNet-50, ${batch} images of ${side} px, ${threads} threads`,
        unit: 'ms per step',
        settings: { batch, side, boxes: 10, precision: 'float32' },
        request: `step ${STEPS_PER_TURN}`,
        warmUp: `step ${WARM_UP_STEPS}`,
      },
    ],
  };
}
