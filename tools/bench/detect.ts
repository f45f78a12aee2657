/**
 * Mask R-CNN with ResNet-50 and a feature pyramid against torchvision's: a training step of two images, and inference on one.
 * Both sides do the same work: sizes, frozen layers, anchors, proposals, regions and detections are equal in number.
 */

import { join } from 'node:path';
import type { BenchArguments } from './arguments.js';
import type { Benchmark } from './benchmark.js';

const HEIGHT = 480;
const WIDTH = 640;
const WARM_UP_STEPS = 2;

/** What is measured, each by processes of its own: so peak memory is that of one kind of work. */
const MODES = [
  { mode: 'train', images: 2, count: 2, title: 'training step' },
  { mode: 'detect', images: 1, count: 3, title: 'inference' },
] as const;

/**
 * @param oursFolder of the compiled benchmarks
 * @param peersFolder of the Python peers
 */
export function detectBenchmarks(
  { threads, python }: BenchArguments,
  oursFolder: string,
  peersFolder: string,
): Benchmark[] {
  return MODES.map(({ mode, images, count, title }) => {
    const sizes = { images, height: HEIGHT, width: WIDTH, threads };
    const flags = [
      '--mode',
      mode,
      ...Object.entries(sizes).flatMap(([name, value]) => [`--${name}`, `${value}`]),
    ];
    const peer = (name: string, layout: string) => ({
      name,
      command: python,
      args: ['-B', join(peersFolder, 'mask_rcnn.py'), '--layout', layout, ...flags],
    });
    return {
      ours: { name: 'scrl', command: process.execPath, args: [join(oursFolder, 'ours-detect.js'), ...flags] },
      peers: [peer('torchvision, NCHW', 'nchw'), peer('torchvision, channels_last', 'channels_last')],
      cases: [
        {
          bench: `detect/${mode}`,
          title: `Mask R-CNN R50-FPN, ${title}, ${images} x ${HEIGHT} x ${WIDTH}, ${threads} threads`,
          unit: 'ms per step',
          settings: { ...sizes, precision: 'float32' },
          request: `step ${count}`,
          warmUp: `step ${WARM_UP_STEPS}`,
        },
      ],
    };
  });
}
