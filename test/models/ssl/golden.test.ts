/**
 * Six steps of SCRL and of BYOL against the reference implementation in float64 (test/golden), through the code that
 * trains: ResNet-50, heads 512 -> 64, 6 images of 96 px, 5 classes, LARS with the reference's quirks.
 *
 * Everything is regenerated from u(i, seed), a hash of a counter. Weights: seed = crc32 of `module.key`, v = 2u - 1 scaled
 * by sqrt(6 / (O kh kw)) for filters and sqrt(1 / in) for linear weights; norm weights 1 + 0.1 v, biases 0.1 v. The target
 * is filled on its own. Inputs of step s: 1.5 (2 u(i, 1000 + s) - 1) in NCHW order; image 5 has no boxes.
 */

import { readFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { oihwToHwio } from '../../../src/checkpoint/state-dict.js';
import { hostTensor } from '../../../src/core/array.js';
import type { Runtime, VariableValue } from '../../../src/engine/runtime.js';
import type { Variable } from '../../../src/engine/variable.js';
import { type Method, Networks } from '../../../src/models/ssl/networks.js';
import { compilePretrainStep, NORMALIZED_VIEWS } from '../../../src/models/ssl/pretrain-step.js';
import type { StateEntry } from '../../../src/nn/module-store.js';
import { roiAlignWeights } from '../../../src/ops/roi-align-weights.js';
import { Lars } from '../../../src/solver/lars.js';
import {
  matchRules,
  parameterRules,
  solverParameters,
  storedParameters,
} from '../../../src/solver/param-groups.js';
import { u } from '../../helpers/counter-hash.js';
import { openRuntime } from '../../helpers/engine.js';

const IMAGES = 6;
const SIDE = 96;
const CLASSES = 5;
const BOXES = 3;
/** Relative noise of float32 PyTorch in the loss, by step. */
const NOISE = [6e-6, 1.1e-5, 2.6e-4, 2.6e-4, 2.6e-4, 2.6e-4];

interface GoldenRow {
  loss: number;
  eval_loss: number;
  lr: number;
  m: number;
  grad_norm: Record<string, number>;
  after: Record<string, number>;
}

function goldenValue({ key, shape }: StateEntry, module: string): Float32Array {
  const seed = crc32(`${module}.${key}`);
  const fill = (value: (v: number) => number) =>
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => value(2 * u(i, seed) - 1));
  if (shape.length === 4) return fill((v) => v * Math.sqrt(6 / (shape[0] * shape[2] * shape[3])));
  if (shape.length === 2) return fill((v) => v * Math.sqrt(1 / shape[1]));
  if (key.endsWith('running_mean')) return fill(() => 0);
  if (key.endsWith('running_var')) return fill(() => 1);
  return key.endsWith('weight') ? fill((v) => 1 + 0.1 * v) : fill((v) => 0.1 * v);
}

function goldenViews(step: number): Float32Array {
  const pixels = SIDE * SIDE;
  const views = new Float32Array(2 * IMAGES * pixels * 3);
  for (let n = 0; n < 2 * IMAGES; n++)
    for (let c = 0; c < 3; c++)
      for (let p = 0; p < pixels; p++)
        views[(n * pixels + p) * 3 + c] = (2 * u((n * 3 + c) * pixels + p, 1000 + step) - 1) * 1.5;
  return views;
}

function goldenBoxes(step: number): { roi_weights: Float32Array; valid: Float32Array } {
  const boxes = new Float32Array(2 * IMAGES * BOXES * 4);
  const valid = new Float32Array(IMAGES * BOXES);
  for (let i = 0; i < IMAGES - 1; i++)
    for (let k = 0; k < BOXES; k++) {
      const draw = (j: number) => u(4 * k + j, 77777 + 100 * step + i);
      const [l, t, w, h] = [40 * draw(0), 40 * draw(1), 32 + 20 * draw(2), 32 + 20 * draw(3)];
      boxes.set([l, t, l + w, t + h], (i * BOXES + k) * 4);
      const [l2, t2] = [l / 2 + 3, t / 2 + 5];
      boxes.set([l2, t2, l2 + 0.8 * w, t2 + 0.8 * h], ((i + IMAGES) * BOXES + k) * 4);
      valid[i * BOXES + k] = 1;
    }
  const cells = SIDE / 32;
  const map = { height: cells, width: cells, spatialScale: 1 / 32, samplingRatio: -1, aligned: false };
  return { roi_weights: roiAlignWeights(boxes, map, Uint8Array.from(valid)), valid };
}

let runtime: Runtime;
beforeAll(async () => {
  runtime = await openRuntime();
});
afterAll(() => runtime.close());

function* goldenValues(networks: Networks): Generator<VariableValue> {
  for (const store of networks.stores())
    for (const entry of store.entries) {
      const value = hostTensor('float32', entry.shape, goldenValue(entry, store.module));
      const { data } = entry.role === 'conv' ? oihwToHwio(value) : value;
      yield [entry.variable, data as Float32Array];
    }
}

/** The variable of `online.encoder.0.weight.abs_sum` and the like, and what is to be summed. */
function sumOf(path: string): { variable: Variable; kind: string } {
  const [, module, key, kind] = /^(online|target|evaluator)\.(.*)\.(abs_sum|sum)$/.exec(path) ?? [];
  const name = `${module === 'evaluator' ? module : `${module}_network`}.${key}`;
  const variable = runtime.variables().find((candidate) => candidate.name === name);
  if (variable === undefined) throw new Error(`no variable ${name}`);
  return { variable, kind };
}

/** The sums of variables, in the order of their paths. */
async function sums(paths: readonly string[]): Promise<number[]> {
  const wanted = paths.map(sumOf);
  const values = await runtime.readAll(wanted.map(({ variable }) => variable));
  return (values as Float32Array[]).map((data, i) =>
    data.reduce((sum, value) => sum + (wanted[i].kind === 'sum' ? value : Math.abs(value)), 0),
  );
}

describe.each(['byol', 'scrl'] as const)('%s', (method: Method) => {
  it('follows the reference for six steps', async () => {
    runtime.close();
    runtime = await openRuntime();
    const file = new URL(`../../golden/${method}_r50_seed1.json`, import.meta.url);
    const { rows } = JSON.parse(readFileSync(file, 'utf8')) as { rows: GoldenRow[] };
    const networks = new Networks(runtime, {
      method,
      backbone: 'resnet50',
      hiddenSize: 512,
      outputSize: 64,
      classes: CLASSES,
    });
    await runtime.writeAll(goldenValues(networks));
    const matches = matchRules(
      storedParameters(networks.trained()),
      parameterRules({ referenceQuirks: true }),
    );
    const solver = new Lars(runtime, solverParameters(matches), {
      momentum: 0.9,
      nesterov: false,
      weightDecay: 1e-4,
      trust: 0.001,
    });
    await runtime.clear(solver.buffers);
    const probes = Object.keys(rows[0].grad_norm).map((key) => `online_network.${key}`);
    const shape = { images: IMAGES, side: SIDE, boxes: BOXES };
    const step = compilePretrainStep(runtime, networks, solver, {
      ...shape,
      viewStage: NORMALIZED_VIEWS,
      probes,
    });

    for (const [s, row] of rows.entries()) {
      const outputs = await step.run({
        images: goldenViews(s),
        labels: Int32Array.from({ length: IMAGES }, (_, i) => i % CLASSES),
        rate: Float32Array.of(row.lr),
        target_rate: Float32Array.of(1 - row.m),
        ...(method === 'scrl' && goldenBoxes(s)),
      });
      const relative = (actual: number, expected: number) => Math.abs(actual - expected) / Math.abs(expected);
      const where = `step ${s + 1}`;
      expect(relative(Number(outputs.loss[0]), row.loss), `${where}: loss`).toBeLessThan(3 * NOISE[s]);
      expect(relative(Number(outputs.eval_loss[0]), row.eval_loss), `${where}: eval_loss`).toBeLessThan(
        3 * NOISE[s],
      );
      for (const [key, expected] of Object.entries(row.grad_norm)) {
        // Norms of gradients of early layers carry far more noise than the loss, and the runs drift apart from step to
        // step: these bounds tell a wrong gradient from a noisy one.
        const actual = Number(outputs[`gradient_norm/online_network.${key}`][0]);
        expect(relative(actual, expected), `${where}: gradient of ${key}`).toBeLessThan(s === 0 ? 0.03 : 0.1);
      }
      const after = await sums(Object.keys(row.after));
      for (const [i, [path, expected]] of Object.entries(row.after).entries()) {
        const error = relative(after[i], expected);
        const bound = path.includes('running_mean') ? 1e-3 : 5e-6;
        expect(error, `${where}: ${path}`).toBeLessThan(bound);
      }
    }
  });
});
