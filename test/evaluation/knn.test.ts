import { describe, expect, it } from 'vitest';
import { RandomStream } from '../../src/core/rng.js';
import { type KnnOptions, knnAccuracy } from '../../src/evaluation/knn.js';
import { normal } from '../helpers/arrays.js';

/** The definition, with every similarity in memory and every list sorted. */
function literal(options: Required<Omit<KnnOptions, 'onProgress'>>): { top1: number; top5: number } {
  const { bank, bankLabels, queries, queryLabels, classes, k, temperature, excludeSelf } = options;
  const d = bank.length / bankLabels.length;
  const unit = (values: Float32Array, row: number): number[] => {
    const x = Array.from(values.subarray(row * d, (row + 1) * d));
    return x.map((value) => value / Math.hypot(...x));
  };
  const counts = [0, 0];
  for (let q = 0; q < queryLabels.length; q++) {
    const query = unit(queries, q);
    const neighbours = Array.from(bankLabels, (label, row) => {
      const other = unit(bank, row);
      return { label, row, similarity: query.reduce((sum, value, i) => sum + value * other[i], 0) };
    })
      .filter(({ row }) => !(excludeSelf && row === q))
      .sort((a, b) => b.similarity - a.similarity || a.row - b.row)
      .slice(0, k);
    const votes = new Array<number>(classes).fill(0);
    for (const { label, similarity } of neighbours) votes[label] += Math.exp(similarity / temperature);
    const order = votes
      .map((votesOf, label) => ({ votesOf, label }))
      .filter(({ votesOf }) => votesOf > 0)
      .sort((a, b) => b.votesOf - a.votesOf || a.label - b.label);
    if (order[0].label === queryLabels[q]) counts[0]++;
    if (order.slice(0, 5).some(({ label }) => label === queryLabels[q])) counts[1]++;
  }
  return { top1: (100 * counts[0]) / queryLabels.length, top5: (100 * counts[1]) / queryLabels.length };
}

const compass: KnnOptions = {
  // East, north-east, north.
  bank: Float32Array.of(1, 0, 1, 1, 0, 1),
  bankLabels: [0, 1, 2],
  queries: Float32Array.of(5, 0),
  queryLabels: [0],
  classes: 3,
  k: 3,
};

describe('knnAccuracy', () => {
  it('lets one near neighbour outvote two far ones, or not, by the temperature', () => {
    // Similarities to (1, 0): 1, 0.8, 0.8. Two votes of exp(0.8 / T) beat one of exp(1 / T) when T > 0.2 / ln 2 = 0.2885.
    const options = { ...compass, bank: Float32Array.of(1, 0, 0.8, 0.6, 0.8, -0.6), bankLabels: [0, 1, 1] };
    expect(knnAccuracy({ ...options, temperature: 0.28 }).predictions[0]).toBe(0);
    expect(knnAccuracy({ ...options, temperature: 0.3 }).predictions[0]).toBe(1);
    expect(knnAccuracy({ ...options, temperature: 0.3, k: 1 }).predictions[0]).toBe(0);
    // exp(1 / 1e-4) is not a finite number.
    expect(knnAccuracy({ ...options, temperature: 1e-4 }).predictions[0]).toBe(0);
  });

  it('does not look at lengths', () => {
    const bank = Float32Array.of(0.01, 0, 1000, 1000, 0, 7);
    expect(knnAccuracy({ ...compass, bank, k: 1 }).top1).toBe(100);
  });

  it('leaves one out', () => {
    const x = Float32Array.of(1, 0, 1, 0.1, 0, 1, 0.1, 1);
    const all = { bank: x, queries: x, classes: 4, k: 1 };
    const labels = [0, 1, 2, 3];
    expect(knnAccuracy({ ...all, bankLabels: labels, queryLabels: labels }).top1).toBe(100);
    const left = knnAccuracy({ ...all, bankLabels: labels, queryLabels: labels, excludeSelf: true });
    expect(left).toEqual({ top1: 0, top5: 0, predictions: Int32Array.of(1, 0, 3, 2) });
  });

  it('prefers the lower index among equal rows, and the lower class among equal votes', () => {
    const same = { ...compass, bank: Float32Array.of(1, 0, 1, 0, 1, 0), bankLabels: [2, 1, 0] };
    expect(knnAccuracy({ ...same, k: 1 }).predictions[0]).toBe(2);
    expect(knnAccuracy({ ...same, k: 2 }).predictions[0]).toBe(1);
    expect(knnAccuracy({ ...same, k: 3 }).predictions[0]).toBe(0);
  });

  it('counts classes without a vote as wrong even among five', () => {
    const result = knnAccuracy({ ...compass, queryLabels: [3], classes: 4 });
    expect(result).toMatchObject({ top1: 0, top5: 0 });
    expect(knnAccuracy({ ...compass, queryLabels: [2], classes: 4 })).toMatchObject({ top1: 0, top5: 100 });
  });

  it('takes all rows when there are fewer than k', () => {
    expect(knnAccuracy({ ...compass, k: 200 })).toEqual(knnAccuracy(compass));
  });

  it('equals the definition, across blocks and at their edges', () => {
    const stream = new RandomStream(11, 'knn');
    for (const [n, m, d, classes, k] of [
      [1, 1, 1, 1, 1],
      [67, 5, 3, 8, 10],
      [130, 261, 4, 12, 7],
    ]) {
      for (const excludeSelf of [false, true]) {
        if (excludeSelf && n === 1) continue;
        const bank = Float32Array.from({ length: n * d }, () => normal(stream));
        const bankLabels = Array.from({ length: n }, () => stream.integer(0, classes));
        const options = {
          bank,
          bankLabels,
          queries: excludeSelf ? bank : Float32Array.from({ length: m * d }, () => normal(stream)),
          queryLabels: excludeSelf ? bankLabels : Array.from({ length: m }, () => stream.integer(0, classes)),
          classes,
          k,
          temperature: 0.2,
          excludeSelf,
        };
        expect(knnAccuracy(options)).toMatchObject(literal(options));
      }
    }
  });

  it('is near 100 for clusters and near chance for noise', () => {
    const stream = new RandomStream(13, 'knn clusters');
    const labels = Array.from({ length: 300 }, (_, i) => i % 3);
    const features = (separation: number): Float32Array =>
      Float32Array.from(
        { length: 300 * 8 },
        (_, i) => normal(stream) + (i % 8 === (i >> 3) % 3 ? separation : 0),
      );
    const accuracy = (separation: number): number => {
      const bank = features(separation);
      return knnAccuracy({
        bank,
        queries: bank,
        bankLabels: labels,
        queryLabels: labels,
        classes: 3,
        excludeSelf: true,
      }).top1;
    };
    expect(accuracy(8)).toBeGreaterThan(99);
    expect(accuracy(0)).toBeLessThan(45);
  });

  it('tells how far it is', () => {
    const done: number[] = [];
    const labels = new Array(300).fill(0);
    const queries = new Float32Array(300).fill(1);
    const options = { bank: queries, bankLabels: labels, queries, queryLabels: labels, classes: 1, k: 1 };
    knnAccuracy({ ...options, onProgress: (count) => done.push(count) });
    expect(done).toEqual([256, 300]);
  });

  it.each<[string, Partial<KnnOptions>]>([
    ['nothing to compare: bank of 3 rows, 0 queries', { queries: new Float32Array(0), queryLabels: [] }],
    ['nothing to compare: bank of 0 rows, 1 queries', { bank: new Float32Array(0), bankLabels: [] }],
    ['has 6 values for n = 4 labels', { bankLabels: [0, 0, 0, 0] }],
    ['queries [m, d] 2 for m = 2', { queryLabels: [0, 0] }],
    ['query label 0 must be in 0..2, not 3', { queryLabels: [3] }],
    ['bank label 1 must be in 0..2, not -1', { bankLabels: [0, -1, 0] }],
    ['k must be a positive integer, not 0', { k: 0 }],
    ['temperature must be above 0, not 0', { temperature: 0 }],
    ['there are 1 and 3 rows', { excludeSelf: true }],
  ])('refuses: %s', (text, changes) => {
    expect(() => knnAccuracy({ ...compass, ...changes })).toThrow(text);
  });
});
