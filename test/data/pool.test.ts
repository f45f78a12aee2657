import { describe, expect, it } from 'vitest';
import { createPool, forEachIndex, PoolClosed } from '../../src/data/pool.js';

const turn = (): Promise<void> => new Promise((wake) => setImmediate(wake));

describe('createPool', () => {
  it('runs at most so many jobs at once, in order, whether they fail or not', async () => {
    const pool = createPool(3);
    let running = 0;
    let most = 0;
    const started: number[] = [];
    const jobs = Array.from({ length: 20 }, (_, i) =>
      pool.run(async () => {
        started.push(i);
        most = Math.max(most, ++running);
        await turn();
        running--;
        if (i % 5 === 0) throw new Error(`job ${i}`);
        return i;
      }),
    );
    const outcomes = await Promise.allSettled(jobs);
    expect(most).toBe(3);
    expect(started).toEqual(Array.from({ length: 20 }, (_, i) => i));
    expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(4);
    expect(await pool.run(async () => 'again')).toBe('again');
  });

  it('starts nothing after it was closed, and finishes what runs', async () => {
    const pool = createPool(1);
    const running = pool.run(async () => {
      await turn();
      return 'done';
    });
    const waiting = [pool.run(async () => 'never'), pool.run(async () => 'never')];
    pool.close();
    expect(await running).toBe('done');
    for (const job of [...waiting, pool.run(async () => 'never')])
      await expect(job).rejects.toThrow(PoolClosed);
  });
});

describe('forEachIndex', () => {
  it('visits every index once', async () => {
    const seen: number[] = [];
    await forEachIndex(10, 4, async (i) => {
      await turn();
      seen.push(i);
    });
    expect(seen.sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    await forEachIndex(0, 4, async () => expect.fail('nothing to visit'));
  });

  it('ends at the first error', async () => {
    let visited = 0;
    const walk = forEachIndex(100, 2, async (i) => {
      visited++;
      await turn();
      if (i === 3) throw new Error('third');
    });
    await expect(walk).rejects.toThrow('third');
    await turn();
    expect(visited).toBeLessThan(8);
  });
});
