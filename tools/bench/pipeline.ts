/**
 * From a JPEG file to two augmented, normalised views, against Pillow with the reference's transforms. The unit is processor
 * time per picture, so that one process of Pillow and our several threads compare as they would on a fully used machine.
 */

import { cpus } from 'node:os';
import { join } from 'node:path';
import type { BenchArguments } from './arguments.js';
import type { Benchmark } from './benchmark.js';
import { LARGE_PHOTO, makePhotos, type PhotoKind, SMALL_PHOTO } from './make-photos.js';

const KINDS: readonly { kind: PhotoKind; count: number }[] = [
  { kind: SMALL_PHOTO, count: 64 },
  { kind: LARGE_PHOTO, count: 8 },
];

/**
 * @param photosFolder receives a folder of JPEG files per size
 * @param oursFolder of the compiled benchmarks
 * @param peersFolder of the Python peers
 */
export async function pipelineBenchmark(
  { side, python }: Pick<BenchArguments, 'side' | 'python'>,
  photosFolder: string,
  oursFolder: string,
  peersFolder: string,
): Promise<Benchmark> {
  const cases: Benchmark['cases'][number][] = [];
  for (const { kind, count } of KINDS) {
    const size = `${kind.width}x${kind.height}`;
    const folder = join(photosFolder, size);
    const bytes = await makePhotos(folder, count, kind);
    cases.push({
      bench: `pipeline/${size}`,
      title: `Two views of ${side} px from a JPEG of ${size}`,
      unit: 'ms of processor time per picture',
      settings: { side, pictures: count, jpeg_bytes: Math.round(bytes.reduce((a, b) => a + b) / count) },
      request: `images ${count} ${folder}`,
      warmUp: `images ${count} ${folder}`,
    });
  }
  return {
    ours: {
      name: 'scrl',
      command: process.execPath,
      args: [join(oursFolder, 'ours-pipeline.js'), '--side', String(side)],
      // As the command line of the product sets it, before the pool of decoding threads starts.
      env: { UV_THREADPOOL_SIZE: String(Math.max(4, 2 * cpus().length)) },
    },
    peers: [
      {
        name: 'Pillow',
        command: python,
        args: ['-B', join(peersFolder, 'pil_pipeline.py'), 'serve', '--side', String(side)],
      },
    ],
    cases,
  };
}
