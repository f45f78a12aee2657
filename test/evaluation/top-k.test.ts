import { expect, it } from 'vitest';
import { RandomStream } from '../../src/core/rng.js';
import { TopK } from '../../src/evaluation/top-k.js';

it('keeps the best, ties by the lower index, as sorting all of them does', () => {
  const stream = new RandomStream(5, 'top-k');
  for (let trial = 0; trial < 300; trial++) {
    const values = Array.from({ length: stream.integer(0, 40) }, () => stream.integer(0, 8) / 8);
    const k = stream.integer(1, 12);
    const best = new TopK(k);
    for (const [index, value] of values.entries()) best.offer(value, index);
    const all = values.map((similarity, index) => ({ similarity, index }));
    all.sort((a, b) => b.similarity - a.similarity || a.index - b.index);
    expect(best.sorted()).toEqual(all.slice(0, k));
  }
});
