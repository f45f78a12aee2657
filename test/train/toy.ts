/** A whole recipe on the shared run and loop: linear regression with two weights, and a file of batches that is none. */

import { saveCheckpoint } from '../../src/checkpoint/checkpointer.js';
import { hostTensor, loadTensor, type TensorSource } from '../../src/core/array.js';
import { RandomStream } from '../../src/core/rng.js';
import { loadTfjs } from '../../src/engine/recorder.js';
import { numberOf, type TorchValue } from '../../src/formats/torch-pth.js';
import { Sgd } from '../../src/solver/sgd.js';
import { runLoop, type Task, type TaskBatch } from '../../src/train/loop.js';
import { lastCheckpoint, type RunOptions, withRun } from '../../src/train/run.js';
import { openRuntime } from '../helpers/engine.js';

export interface ToyBatch extends TaskBatch {
  readonly x: Float32Array;
  readonly y: Float32Array;
}

const SIZE = 8;
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
  options: Pick<RunOptions, 'signal' | 'log'> & { folder: string },
  changes: Partial<Task<ToyBatch>> = {},
) {
  const { folder: saveDir, ...rest } = options;
  const folder = { topDir: '', configName: 'toy', saveDir };
  return withRun({ ...rest, folder, config: 'toy: true\n', eventInterval: 1, openRuntime }, async (run) => {
    const { runtime } = run;
    const weights = runtime.variable('weights', [2, 1]);
    const rule = { decay: false, adapted: false, squaredRate: false };
    const solver = new Sgd(runtime, [{ variable: weights, rule }], {
      momentum: 0.9,
      nesterov: false,
      weightDecay: 0,
    });
    const tf = loadTfjs();
    const inputs = {
      x: { type: 'float32', shape: [SIZE, 2] },
      y: { type: 'float32', shape: [SIZE, 1] },
    } as const;
    const compiled = runtime.compile('toy', inputs, ({ x, y }) => {
      const { value, grads } = tf.valueAndGrads(
        () => tf.mean(tf.square(tf.sub(tf.matMul(x, weights.read()), y))) as never,
      )([weights.read()]);
      solver.update(grads, tf.scalar(0.05));
      return { loss: value };
    });
    const state = [weights, ...solver.buffers];
    const found = await lastCheckpoint(run, { overwrite: false });
    for (const variable of state) {
      const saved = found?.value.get(variable.name) as TensorSource | undefined;
      const data = saved === undefined ? new Float32Array(2) : (await loadTensor(saved)).data;
      await runtime.write(variable, data as Float32Array);
    }
    const task: Task<ToyBatch> = {
      label: 'toy',
      length: LENGTH,
      imagesPerStep: SIZE,
      batches: toyBatches,
      step: async ({ x, y }) => ({ loss: Number((await compiled.run({ x, y })).loss[0]) }),
      fields: ({ loss }) => ({ loss }),
      saves: { kept: { last: true }, rolling: { steps: 5 } },
      async save(step, kind) {
        const tensors = await Promise.all(
          state.map(async ({ name, shape }, i): Promise<[string, TorchValue]> => {
            const data = (await runtime.read(state[i])) as Float32Array;
            return [name, hostTensor('float32', shape, data)];
          }),
        );
        await saveCheckpoint(run.folder, kind, new Map<string, TorchValue>([['step', step], ...tensors]));
      },
      evidence: ({ x, y }) => ({
        tensors: { x: hostTensor('float32', [SIZE, 2], x), y: hostTensor('float32', [SIZE, 1], y) },
        facts: { made: 'by the test' },
      }),
      remedy: 'try something else',
      ...changes,
    };
    return runLoop(run, task, numberOf(found?.value.get('step')) ?? 0);
  });
}
