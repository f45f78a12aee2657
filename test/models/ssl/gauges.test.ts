import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RandomStream } from '../../../src/core/rng.js';
import type { Runtime } from '../../../src/engine/runtime.js';
import { outputSpread } from '../../../src/models/ssl/gauges.js';
import { normal } from '../../helpers/arrays.js';
import { evaluate, openRuntime } from '../../helpers/engine.js';

let runtime: Runtime;
beforeAll(async () => {
  runtime = await openRuntime();
});
afterAll(() => runtime.close());

/** Normal values. */
function cloud(rows: number, channels: number): Float32Array {
  const stream = new RandomStream(17, 'collapse');
  return Float32Array.from({ length: rows * channels }, () => normal(stream));
}

async function spreadOf(data: Float32Array, channels: number, weights?: number[]): Promise<number> {
  const rows = data.length / channels;
  const share = Float32Array.from(weights ?? new Array(rows).fill(1));
  const operands = [
    { shape: [rows, channels], data },
    { shape: [rows, 1], data: share },
  ];
  return (await evaluate(runtime, operands, (x, w) => ({ spread: outputSpread(x, w) }))).spread[0];
}

describe('outputSpread', () => {
  it('is what one computes by hand', async () => {
    // Normalised: (1, 0), (0, 1). Both channels have mean 1/2 and standard deviation 1/2; times the root of 2.
    expect(await spreadOf(Float32Array.of(3, 0, 0, 0.1), 2)).toBeCloseTo(Math.SQRT1_2, 6);
    // (1, 0), (-1, 0): standard deviations 1 and 0.
    expect(await spreadOf(Float32Array.of(1, 0, -5, 0), 2)).toBeCloseTo(Math.SQRT1_2, 6);
  });

  it('is about 1 for a cloud and 0 for equal directions', async () => {
    expect(await spreadOf(cloud(4000, 16), 16)).toBeCloseTo(1, 2);
    const data = Float32Array.from({ length: 300 }, (_, i) => (1 + Math.floor(i / 3)) * ((i % 3) + 1));
    expect(await spreadOf(data, 3)).toBeCloseTo(0, 6);
    expect(await spreadOf(new Float32Array(6), 3)).toBe(0);
  });

  it('counts rows by their weights: 0 leaves a row out, 2 counts it twice', async () => {
    const data = cloud(5, 3);
    const twice = Float32Array.from([...data.subarray(0, 12), ...data.subarray(9, 12)]);
    expect(await spreadOf(data, 3, [1, 1, 1, 2, 0])).toBeCloseTo(await spreadOf(twice, 3), 6);
  });
});
