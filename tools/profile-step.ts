/**
 * Where a training step's time goes: one fully traced step, summed by type of operation.
 *
 *     node dist/tools/profile-step.js [--batch 8] [--side 224] [--top 30]
 *
 * Tracing slows the step; shares are what to look at. Milliseconds are wall time within TensorFlow's executor.
 */

import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { nodeTimes } from '../src/engine/profile.js';
import { formatTable } from '../src/report/table.js';
import { openStep } from './bench/model.js';

const { values } = parseArgs({
  options: {
    batch: { type: 'string', default: '8' },
    side: { type: 'string', default: '224' },
    top: { type: 'string', default: '30' },
  },
});
const { runtime, step, inputs } = await openStep({
  batch: Number(values.batch),
  side: Number(values.side),
  threads: availableParallelism(),
});
for (let warmup = 0; warmup < 3; warmup++) await step.run(inputs);
let metadata = new Uint8Array(0);
await step.run(inputs, {
  trace(bytes) {
    metadata = Uint8Array.from(bytes);
  },
});
runtime.close();

const sums = new Map<string, { milliseconds: number; count: number }>();
for (const { name, type, microseconds } of nodeTimes(metadata)) {
  const part = /(solver|ema|gradient|augment)\//.exec(name)?.[1] ?? 'forward';
  const key = `${part}\t${type}`;
  const sum = sums.get(key) ?? { milliseconds: 0, count: 0 };
  sums.set(key, { milliseconds: sum.milliseconds + microseconds / 1000, count: sum.count + 1 });
}
const total = [...sums.values()].reduce((sum, { milliseconds }) => sum + milliseconds, 0);
const rows = [...sums]
  .sort(([, a], [, b]) => b.milliseconds - a.milliseconds)
  .slice(0, Number(values.top))
  .map(([key, { milliseconds, count }]) => [
    ...key.split('\t'),
    String(count),
    milliseconds.toFixed(1),
    ((100 * milliseconds) / total).toFixed(1),
  ]);
process.stdout.write(`${formatTable(['part', 'operation', 'nodes', 'ms', '%'], rows)}\n`);
process.stdout.write(`all ${total.toFixed(0)} ms\n`);
