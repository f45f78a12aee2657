import { describe, expect, it } from 'vitest';
import { philox, RandomStream } from '../../src/core/rng.js';

describe('philox', () => {
  // Known answers of the Random123 distribution (kat_vectors, philox 4x32 10).
  const cases: [number[], number[], number[]][] = [
    [
      [0, 0, 0, 0],
      [0, 0],
      [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    ],
    [
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    ],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ];
  it.each(cases)('counter %j, key %j', (counter, key, expected) => {
    const out = new Uint32Array(4);
    philox(Uint32Array.from(counter), Uint32Array.from(key), out);
    expect(Array.from(out)).toEqual(expected);
  });
});

describe('RandomStream', () => {
  it('depends on seed, purpose and both coordinates, and on nothing else', () => {
    const first = (seed: number, purpose: string, a: number, b: number) =>
      new RandomStream(seed, purpose, a, b).uniform();
    expect(first(1, 'x', 2, 3)).toBe(first(1, 'x', 2, 3));
    const others = [first(2, 'x', 2, 3), first(1, 'y', 2, 3), first(1, 'x', 3, 3), first(1, 'x', 2, 4)];
    expect(new Set([first(1, 'x', 2, 3), ...others]).size).toBe(5);
  });

  it('is uniform: mean, variance and the bins of 100,000 draws', () => {
    const stream = new RandomStream(7, 'test');
    const bins = new Array<number>(10).fill(0);
    let sum = 0;
    for (let i = 0; i < 100_000; i++) {
      const u = stream.uniform();
      sum += u;
      bins[Math.floor(u * 10)]++;
    }
    expect(sum / 100_000).toBeCloseTo(0.5, 2);
    // Chi-squared with 9 degrees of freedom exceeds 28 once in a thousand; the seed is fixed.
    expect(bins.reduce((chi, n) => chi + (n - 10_000) ** 2 / 10_000, 0)).toBeLessThan(28);
  });

  it('draws integers with truncated, half-open bounds', () => {
    const stream = new RandomStream(1, 'int');
    const seen = new Set(Array.from({ length: 200 }, () => stream.integer(2, 5.9)));
    expect([...seen].sort()).toEqual([2, 3, 4]);
    expect(() => stream.integer(3, 3.5)).toThrow('empty integer range');
  });

  it('can be looked up at any place, in any order, without moving', () => {
    const [stream, sequence] = [new RandomStream(3, 'x', 1, 2), new RandomStream(3, 'x', 1, 2)];
    const expected = Array.from({ length: 11 }, () => sequence.next());
    expect([10, 3, 0, 4, 9].map((place) => stream.at(place))).toEqual(
      [10, 3, 0, 4, 9].map((i) => expected[i]),
    );
    expect(Array.from({ length: 11 }, () => stream.next())).toEqual(expected);
    expect(stream.at(7)).toBe(expected[7]);
  });

  it('shuffles into a permutation', () => {
    const items = new RandomStream(1, 'shuffle').shuffle(Uint32Array.from({ length: 50 }, (_, i) => i));
    expect(Array.from(items).sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i));
    expect(Array.from(items)).not.toEqual(Array.from({ length: 50 }, (_, i) => i));
  });

  it('draws normals of mean 0 and variance 1', () => {
    const stream = new RandomStream(3, 'normal');
    const draws = new Float32Array(50_001);
    stream.fillNormal(draws, 1);
    const moment = (power: number) => draws.reduce((sum, x) => sum + x ** power, 0) / draws.length;
    expect(moment(1)).toBeCloseTo(0, 1);
    expect(moment(2)).toBeCloseTo(1, 1);
    expect(moment(3)).toBeCloseTo(0, 1);
    expect(Math.abs(moment(4) - 3)).toBeLessThan(0.15);
    expect(new Set(draws).size).toBeGreaterThan(49_900);
  });

  it('fills with uniform draws', () => {
    const draws = new Float32Array(10_000);
    new RandomStream(3, 'uniform').fillUniform(draws, -2, 4);
    expect(Math.min(...draws)).toBeGreaterThanOrEqual(-2);
    expect(Math.max(...draws)).toBeLessThanOrEqual(4);
    expect(draws.reduce((sum, x) => sum + x, 0) / draws.length).toBeCloseTo(1, 1);
  });
});
