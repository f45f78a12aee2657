/**
 * Backbone, pyramid and region proposals against Detectron2 in float64 (test/golden/detection), on the first batch of
 * training: frozen norms, and norms over the batch.
 */

import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Runtime } from '../../../src/engine/runtime.js';
import { Detector } from '../../../src/models/detection/networks.js';
import type { Tensor } from '../../../src/ops/tf.js';
import { openRuntime } from '../../helpers/engine.js';
import { GOLDEN, goldenBatch } from './golden-inputs.js';
import { type GoldenCase, goldenOptions, writeGoldenWeights } from './golden-network.js';

/** A tensor in PyTorch's order: its shape, [N, C, H, W], and some elements. */
interface Sample {
  shape: [number, number, number, number];
  sum: number;
  abs_sum: number;
  at: [position: number, value: number][];
}

interface GoldenRun {
  step0: { input: Sample; features: Record<string, Sample>; rpn_logits: Sample[]; rpn_deltas: Sample[] };
}

const LEVELS = ['p2', 'p3', 'p4', 'p5', 'p6'] as const;

let runtime: Runtime;
beforeAll(async () => {
  runtime = await openRuntime();
});
afterAll(() => runtime.close());

/** The worst difference from the samples and from the sum of magnitudes, in mean magnitudes. */
function worstDifference(actual: Float32Array, { shape: [n, c, h, w], abs_sum, at }: Sample): number {
  expect(actual.length).toBe(n * c * h * w);
  const magnitude = abs_sum / actual.length;
  const differences = at.map(([position, value]) => {
    const [x, y] = [position % w, Math.floor(position / w) % h];
    const channel = Math.floor(position / (w * h)) % c;
    const image = Math.floor(position / (w * h * c));
    return Math.abs(actual[((image * h + y) * w + x) * c + channel] - value) / magnitude;
  });
  const sum = actual.reduce((total, value) => total + Math.abs(value), 0);
  return Math.max(...differences, Math.abs(sum / abs_sum - 1));
}

/** Compiled with open N, H and W, as it is trained. */
async function firstForward(name: GoldenCase): Promise<Record<string, Float32Array>> {
  const detector = new Detector(runtime, goldenOptions(name));
  await writeGoldenWeights(detector.store);
  const images = { type: 'float32', shape: [-1, -1, -1, 3] } as const;
  const step = runtime.compile<'images', string>('golden_forward', { images }, ({ images }) => {
    const maps = detector.backbone.forward(images, 'training');
    const pyramid = detector.fpn.forward(maps, 'training');
    const outputs: Record<string, Tensor> = { ...maps, ...pyramid };
    for (const level of LEVELS) {
      const { logits, deltas } = detector.rpnHead.forward(pyramid[level]);
      outputs[`logits_${level}`] = logits;
      outputs[`deltas_${level}`] = deltas;
    }
    return outputs;
  });
  const data = goldenBatch(1, 0);
  const result = await step.run({ images: { shape: [2, GOLDEN.padded, GOLDEN.padded, 3], data } });
  return result as Record<string, Float32Array>;
}

describe('the first forward pass', () => {
  it.each([
    // The noise of float32 PyTorch, in mean magnitudes.
    ['mask_frozen', 4e-6],
    ['mask_syncbn', 1e-5],
    ['mask_4conv1fc', 4e-5],
  ] as const)('%s', async (name, noise) => {
    const file = new URL(`../../golden/detection/${name}_seed1.json`, import.meta.url);
    const { step0 } = JSON.parse(readFileSync(file, 'utf8')) as GoldenRun;
    const found = await firstForward(name);
    const samples: [string, Sample][] = [
      ...Object.entries(step0.features),
      ...LEVELS.map((level, i): [string, Sample] => [`logits_${level}`, step0.rpn_logits[i]]),
      ...LEVELS.map((level, i): [string, Sample] => [`deltas_${level}`, step0.rpn_deltas[i]]),
    ];
    for (const [key, sample] of samples) {
      expect(worstDifference(found[key], sample), key).toBeLessThan(3 * noise);
    }
    runtime.close();
    runtime = await openRuntime();
  });
});
