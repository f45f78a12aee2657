/** Entry of a thread: one task after the other, each answered. */

import { parentPort, workerData } from 'node:worker_threads';
import { UserError } from '../../core/errors.js';
import { Counters, runEvaluate, runRead, type Task } from './tasks.js';

const counters = new Counters(workerData as SharedArrayBuffer);

parentPort?.on('message', (task: Task) => {
  try {
    const done = task.task === 'read' ? runRead(task, counters) : runEvaluate(task, counters);
    parentPort?.postMessage({ done });
  } catch (error) {
    // A user's mistake stays one on the other side, where the class of an error is lost.
    const { message, stack } = error as Error;
    parentPort?.postMessage({ failed: { message, stack, user: error instanceof UserError } });
  }
});
