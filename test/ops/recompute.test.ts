import { afterAll, beforeAll, expect, it } from 'vitest';
import { type NodeTime, nodeTimes } from '../../src/engine/profile.js';
import type { Runtime } from '../../src/engine/runtime.js';
import { add } from '../../src/ops/add.js';
import { batchNormInference, batchNormTraining } from '../../src/ops/batch-norm.js';
import { conv2d } from '../../src/ops/conv2d.js';
import { maxPool } from '../../src/ops/max-pool.js';
import { relu } from '../../src/ops/relu.js';
import { scope, type Tensor, tf } from '../../src/ops/tf.js';
import { checkGradients, openRuntime, operand } from '../helpers/engine.js';

let runtime: Runtime;
beforeAll(async () => {
  runtime = await openRuntime();
});
afterAll(() => runtime.close());

const CHANNELS = 4;
const x = operand([2, 6, 6, CHANNELS], 'x');
const filters = ['stem', 'conv1', 'conv2'].map((name) => operand([3, 3, CHANNELS, CHANNELS], name));

/** A variance near that of the convolutions' outputs. */
const RUNNING = () => ({ mean: tf.zeros([CHANNELS]), variance: tf.fill([CHANNELS], 16) });

type Norm = (x: Tensor) => Tensor;
/** Batches of 72 values; the offset keeps central differences away from ReLU's kink at most elements. */
const training: Norm = (x) => batchNormTraining(x, tf.ones([CHANNELS]), tf.fill([CHANNELS], 2), RUNNING()).y;
const inference: Norm = (x) => batchNormInference(x, tf.ones([CHANNELS]), tf.fill([CHANNELS], 2), RUNNING());

/** The shapes of dependence in a ResNet: stem, pooling, and a block whose output is itself made of recomputed parts. */
function network(norm: Norm) {
  return (x: Tensor, ...filters: Tensor[]) => {
    const [stem, first, second] = filters;
    const layer = (name: string, x: Tensor, filter: Tensor) =>
      scope(name, () => norm(conv2d(x, filter, 1, 1)));
    const a = relu(layer('stem', x, stem));
    const b = relu(layer('first', a, first));
    const c = relu(add(layer('second', b, second), a));
    return scope('pool', () => maxPool(c, 2, 2, 0));
  };
}

it.each([
  { name: 'training', norm: training },
  { name: 'inference', norm: inference },
])('gradients through recomputed activations, batch norm in $name', async ({ norm }) => {
  await checkGradients(runtime, [x, ...filters], network(norm), { step: 3e-3, tolerance: 3e-2 });
});

it('activations are computed again once each, and not before the forward pass is over', async () => {
  const specs = [x, ...filters].map(({ shape }, i) => [`x${i}`, { type: 'float32', shape }] as const);
  const step = runtime.compile('recomputing', Object.fromEntries(specs), (inputs) => {
    const { value, grads } = tf.valueAndGrads((...xs: Tensor[]) => {
      const [x, ...filters] = xs;
      return scope('loss', () => tf.sum(tf.square(network(training)(x, ...filters)))) as never;
    })([0, 1, 2, 3].map((i) => inputs[`x${i}`]));
    return { value, ...Object.fromEntries(grads.map((grad, i) => [`g${i}`, grad])) };
  });
  let nodes: NodeTime[] = [];
  await step.run(Object.fromEntries([x, ...filters].map(({ data }, i) => [`x${i}`, data])), {
    trace(metadata) {
      nodes = nodeTimes(metadata);
    },
  });
  const norms = nodes.filter(({ type }) => /FusedBatchNorm(V3|Ex)$/.test(type));
  const again = norms.filter(({ name }) => name.startsWith('gradient/'));
  expect(norms.length - again.length).toBe(3);
  expect(again.map(({ name }) => /(stem|first|second)/.exec(name)?.[0]).sort()).toEqual([
    'first',
    'second',
    'stem',
  ]);
  const pooled = nodes.find(({ type, name }) => /MaxPool$/.test(type) && !name.startsWith('gradient/'));
  expect(pooled).toBeDefined();
  for (const { startMicroseconds } of again) {
    expect(startMicroseconds).toBeGreaterThanOrEqual(pooled?.startMicroseconds ?? Infinity);
  }
});
