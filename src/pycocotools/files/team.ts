/** Threads besides the main one. */

import { Worker } from 'node:worker_threads';
import { UserError } from '../../core/errors.js';
import type { Counters, EvaluateTask, ReadDone, ReadTask, Task } from './tasks.js';

type Answer = { done: unknown } | { failed: { message: string; stack: string; user: boolean } };

export class Team {
  readonly #workers: Worker[];

  constructor(size: number, counters: Counters) {
    const entry = new URL('./worker.js', import.meta.url);
    this.#workers = Array.from({ length: size }, () => new Worker(entry, { workerData: counters.buffer }));
  }

  get size(): number {
    return this.#workers.length;
  }

  read(worker: number, task: ReadTask): Promise<ReadDone> {
    return this.#run(worker, task) as Promise<ReadDone>;
  }

  async evaluate(worker: number, task: EvaluateTask): Promise<void> {
    await this.#run(worker, task);
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }

  #run(index: number, task: Task): Promise<unknown> {
    const worker = this.#workers[index];
    return new Promise((resolve, reject) => {
      worker.once('error', reject);
      worker.once('message', (answer: Answer) => {
        worker.off('error', reject);
        if ('done' in answer) resolve(answer.done);
        else reject(rebuilt(answer.failed));
      });
      worker.postMessage(task);
    });
  }
}

function rebuilt({ message, stack, user }: { message: string; stack: string; user: boolean }): Error {
  const error = user ? new UserError(message) : new Error(message);
  if (!user) error.stack = stack;
  return error;
}
