/** Where a training step's time goes; see `--help`. */

import { availableParallelism } from 'node:os';
import { nodeTimes } from '../src/engine/profile.js';
import { formatTable } from '../src/report/table.js';
import { openStep } from './bench/model.js';
import { requirePositionals, runTool, wholeNumber } from './run-tool.js';

const HELP = `Where a training step's time goes: one fully traced step of SCRL, ResNet-50, summed by type of operation.

  node dist/tools/profile-step.js [options]

  --batch N   images (8)
  --side N    side of a view, pixels (224)
  --top N     operations that are shown (30)

Tracing slows the step: shares are what to look at. Milliseconds are wall time within TensorFlow's executor.

Example
  node dist/tools/profile-step.js --batch 2 --side 64
`;

const OPTIONS = {
  batch: { type: 'string', default: '8' },
  side: { type: 'string', default: '224' },
  top: { type: 'string', default: '30' },
} as const;

await runTool({ help: HELP, options: OPTIONS }, async ({ values, positionals }) => {
  requirePositionals(positionals, 0, 'options only');
  const { runtime, step, inputs } = await openStep({
    batch: wholeNumber('batch', values.batch, 1),
    side: wholeNumber('side', values.side, 64),
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
    .slice(0, wholeNumber('top', values.top, 1))
    .map(([key, { milliseconds, count }]) => [
      ...key.split('\t'),
      String(count),
      milliseconds.toFixed(1),
      ((100 * milliseconds) / total).toFixed(1),
    ]);
  process.stdout.write(`${formatTable(['part', 'operation', 'nodes', 'ms', '%'], rows)}\n`);
  process.stdout.write(`all ${total.toFixed(0)} ms\n`);
});
