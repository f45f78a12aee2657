/** A whole recipe on the shared run and loop: linear regression with two weights. */

import { saveCheckpoint } from '../../src/checkpoint/checkpointer.js';
import { initializeModule, loadModuleState, moduleState } from '../../src/checkpoint/module-state.js';
import { loadOptimizerState, optimizerState } from '../../src/checkpoint/optimizer-state.js';
import { stateDictOf } from '../../src/checkpoint/state-dict.js';
import { hostTensor } from '../../src/core/array.js';
import { RandomStream } from '../../src/core/rng.js';
import { loadTfjs } from '../../src/engine/recorder.js';
import { type FileValue, numberOf } from '../../src/formats/value.js';
import { Linear } from '../../src/nn/layers.js';
import { ModuleStore } from '../../src/nn/module-store.js';
import { ADAPTED } from '../../src/solver/param-groups.js';
import { Sgd } from '../../src/solver/sgd.js';
import { runLoop, type Task, type TaskBatch } from '../../src/train/loop.js';
import { lastCheckpoint, type RunOptions, withRun } from '../../src/train/run.js';
import { openRuntime } from '../helpers/engine.js';

export interface ToyBatch extends TaskBatch {
  readonly x: Float32Array;
  readonly y: Float32Array;
}

const SIZE = 8;
const SOLVER = { momentum: 0.9, nesterov: false, weightDecay: 0 };
const INPUTS = {
  x: { type: 'float32', shape: [SIZE, 2] },
  y: { type: 'float32', shape: [SIZE, 1] },
} as const;
export const LENGTH = { stepsPerEpoch: 4, totalSteps: 12 };

export function toyBatch(epoch: number, place: number): ToyBatch {
  const stream = new RandomStream(1, 'toy', epoch, place);
  const x = Float32Array.from({ length: 2 * SIZE }, () => stream.between(-1, 1));
  const y = Float32Array.from({ length: SIZE }, (_, i) => 3 * x[2 * i] - 2 * x[2 * i + 1]);
  return { x, y };
}

async function* toyBatches(epoch: number, firstStep: number): AsyncGenerator<ToyBatch, void, void> {
  for (let place = firstStep; place < LENGTH.stepsPerEpoch; place++) yield toyBatch(epoch, place);
}

/** @param changes to the task, for the tests */
export function trainToy(
  { folder: saveDir, ...options }: Pick<RunOptions, 'signal' | 'log'> & { folder: string },
  changes: Partial<Task<ToyBatch>> = {},
) {
  const folder = { topDir: '', configName: 'toy', saveDir };
  return withRun(
    { ...options, folder, config: 'toy: true\n', eventInterval: 1, openRuntime },
    async (run) => {
      const { runtime } = run;
      const store = new ModuleStore(runtime, 'toy');
      const layer = new Linear(store, 'linear', { inputs: 2, outputs: 1, bias: false });
      const [entry] = store.parameters();
      const solver = new Sgd(runtime, [{ variable: entry.variable, rule: ADAPTED }], SOLVER);
      const members = [{ entry, buffer: solver.buffers[0] }];
      const tf = loadTfjs();
      const compiled = runtime.compile('toy', INPUTS, ({ x, y }) => {
        const loss = () => tf.mean(tf.square(tf.sub(layer.forward(x), y))) as never;
        const { value, grads } = tf.valueAndGrads(loss)([entry.variable.read()]);
        solver.update(grads, tf.scalar(0.05));
        return { loss: value };
      });

      const found = await lastCheckpoint(run, { overwrite: false });
      const start = numberOf(found?.value.get('step')) ?? 0;
      if (found === undefined) {
        await initializeModule(store, 1);
        await runtime.clear(solver.buffers);
      } else {
        const { path: where, value } = found;
        await loadModuleState(store, stateDictOf(value, where, 'model'), where);
        await loadOptimizerState(runtime, members, value, { where, step: start });
      }
      const task: Task<ToyBatch> = {
        label: 'toy',
        length: LENGTH,
        imagesPerStep: SIZE,
        batches: toyBatches,
        step: async ({ x, y }) => ({ loss: Number((await compiled.run({ x, y })).loss[0]) }),
        fields: ({ loss }) => ({ loss }),
        saves: { kept: { last: true }, rolling: { steps: 5 } },
        save(step, kind) {
          const state = new Map<string, FileValue>([
            ['step', step],
            ['model', moduleState(store, step)],
            ['optimizer_state_dict', optimizerState(runtime, [{ members, settings: {} }], step)],
          ]);
          return saveCheckpoint(run.folder, kind, state);
        },
        evidence: ({ x }) => ({
          tensors: { x: hostTensor('float32', [SIZE, 2], x) },
          facts: { kind: 'toy' },
        }),
        remedy: 'try something else',
        ...changes,
      };
      return runLoop(run, task, start);
    },
  );
}
