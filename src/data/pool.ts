/** At most so many asynchronous jobs at once, first come, first served. */

export interface Pool {
  /** Runs `work` when its turn comes. */
  run<T>(work: () => Promise<T>): Promise<T>;
  /** Lets no further job start: those that wait are rejected with `PoolClosed`. Running ones finish. */
  close(): void;
}

/** Why a job that was waiting did not run. */
export class PoolClosed extends Error {
  constructor() {
    super('closed while the job was waiting');
    this.name = 'PoolClosed';
  }
}

/** @param limit jobs at once, at least 1 */
export function createPool(limit: number): Pool {
  let free = limit;
  let closed = false;
  const waiting: (() => void)[] = [];
  return {
    async run(work) {
      if (free > 0) free--;
      else await new Promise<void>((wake) => waiting.push(wake)); // woken by a job that hands its place over
      try {
        if (closed) throw new PoolClosed();
        return await work();
      } finally {
        const next = waiting.shift();
        if (next === undefined) free++;
        else next();
      }
    },
    close() {
      closed = true;
    },
  };
}

/** Calls `work` for 0, ..., count - 1, at most `limit` at once; ends at the first error. */
export async function forEachIndex(
  count: number,
  limit: number,
  work: (index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) {
      const index = next++;
      try {
        await work(index);
      } catch (error) {
        next = count;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, count) }, lane));
}
