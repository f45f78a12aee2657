/** Our side of the step benchmark: answers `step N` with the milliseconds of each of N steps. */

import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { openStep } from './model.js';
import { serve } from './serve.js';

const { values } = parseArgs({
  options: {
    batch: { type: 'string', default: '8' },
    side: { type: 'string', default: '224' },
    threads: { type: 'string', default: String(availableParallelism()) },
  },
});
const { runtime, step, inputs } = await openStep({
  batch: Number(values.batch),
  side: Number(values.side),
  threads: Number(values.threads),
});
await serve(
  async (count) => {
    const times: number[] = [];
    for (let i = 0; i < count; i++) {
      const began = performance.now();
      await step.run(inputs);
      times.push(performance.now() - began);
    }
    return times;
  },
  { info: { versions: { tensorflow: runtime.version, node: process.version }, threads: runtime.threads } },
);
runtime.close();
