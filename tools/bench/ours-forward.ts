/** Our side of the forward benchmark: answers `step N` with the milliseconds of each of N steps. */

import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { initializeModule } from '../../src/checkpoint/module-state.js';
import { SILENT } from '../../src/core/log.js';
import { RandomStream } from '../../src/core/rng.js';
import { ensureEngine } from '../../src/engine/install/install.js';
import { Runtime } from '../../src/engine/runtime.js';
import { ResNet } from '../../src/models/backbone/resnet.js';
import { compileEvaluation } from '../../src/models/probe/evaluation-step.js';
import { ModuleStore } from '../../src/nn/module-store.js';
import { serve } from './serve.js';

const { values } = parseArgs({
  options: {
    batch: { type: 'string', default: '32' },
    side: { type: 'string', default: '224' },
    threads: { type: 'string', default: String(availableParallelism()) },
  },
});
const [batch, side, threads] = [values.batch, values.side, values.threads].map(Number);
const { libraries } = await ensureEngine({ log: SILENT });
const runtime = Runtime.open({ libraries, threads, device: 'cpu' });
const store = new ModuleStore(runtime, 'online_network');
const encoder = new ResNet(store, 'encoder.', 'resnet50');
await initializeModule(store, 0);
const step = compileEvaluation(runtime, 'forward', { encoder }, { batch, side });
const random = new RandomStream(0, 'bench');
const images = Uint8Array.from({ length: batch * side * side * 3 }, () => random.integer(0, 256));
await serve(
  async (count) => {
    const times: number[] = [];
    for (let i = 0; i < count; i++) {
      const began = performance.now();
      await step.run({ images });
      times.push(performance.now() - began);
    }
    return times;
  },
  { info: { versions: { tensorflow: runtime.version, node: process.version }, threads: runtime.threads } },
);
runtime.close();
