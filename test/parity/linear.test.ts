/**
 * The classifier of the linear evaluation against torch, from the same features and initial weights: the losses of 20 steps.
 * Needs a Python with torch: `$SCRL_PYTHON`, else `python3`.
 */

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { initializeModule, moduleState } from '../../src/checkpoint/module-state.js';
import { hostTensor } from '../../src/core/array.js';
import { RandomStream } from '../../src/core/rng.js';
import { writeTorchFile } from '../../src/formats/torch-pth.js';
import { type FileValue, float } from '../../src/formats/value.js';
import { LinearProbe } from '../../src/models/probe/linear-probe.js';
import { cosineRate } from '../../src/solver/schedule.js';
import { randomArray } from '../helpers/arrays.js';
import { openRuntime } from '../helpers/engine.js';

const SCRIPT = fileURLToPath(new URL('./python/linear.py', import.meta.url));
const [STEPS, BATCH, CHANNELS, CLASSES] = [20, 32, 512, 10];

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scrl-parity-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it.each([
  ["the reference's", { momentum: 0.9, nesterov: true, weightDecay: 0 }, 50],
  ['with decay, without Nesterov', { momentum: 0.9, nesterov: false, weightDecay: 1e-4 }, 200],
])('%s', async (name, solver, lr) => {
  const runtime = await openRuntime();
  const probe = new LinearProbe(runtime, {
    network: 'resnet18',
    classes: CLASSES,
    side: 32,
    finetune: false,
    solver: { ...solver, trust: 0.001 },
  });
  await initializeModule(probe.head, 5);
  for (const buffer of probe.solver.buffers) await runtime.write(buffer, new Float32Array(buffer.size));
  const schedule = { peak: lr, stepsPerEpoch: 5, maxEpochs: 4, warmupEpochs: 1 };
  const rates = Float32Array.from({ length: STEPS }, (_, step) => cosineRate(schedule, step + 1));
  // Features of ReLUs, as a backbone gives them, with something to learn in them.
  const random = new RandomStream(2, 'labels');
  const labels = Int32Array.from({ length: STEPS * BATCH }, () => random.integer(0, CLASSES));
  const features = randomArray(STEPS * BATCH * CHANNELS, 'features').map((value, i) => {
    const row = Math.floor(i / CHANNELS);
    return Math.max(0, value) + ((i % CHANNELS) % CLASSES === labels[row] ? 0.3 : 0);
  });

  const head = moduleState(probe.head, 0);
  const [weight, bias] = [head.get('linear.weight'), head.get('linear.bias')];
  if (weight === undefined || bias === undefined) throw new Error('the head has other names');
  const [input, output] = [join(folder, `${lr}.pth`), join(folder, `${lr}.json`)];
  await writeTorchFile(
    input,
    new Map<string, FileValue>([
      ['features', hostTensor('float32', [STEPS, BATCH, CHANNELS], features)],
      ['labels', hostTensor('int32', [STEPS, BATCH], labels)],
      ['rates', hostTensor('float32', [STEPS], rates)],
      ['weight', weight],
      ['bias', bias],
      ['momentum', float(solver.momentum)],
      ['nesterov', solver.nesterov],
      ['weight_decay', float(solver.weightDecay)],
    ]),
  );
  await promisify(execFile)(process.env.SCRL_PYTHON ?? 'python3', [SCRIPT, input, output]);
  const expected = JSON.parse(await readFile(output, 'utf8')) as number[];

  const losses: number[] = [];
  for (let step = 0; step < STEPS; step++) {
    const rows = features.subarray(step * BATCH * CHANNELS, (step + 1) * BATCH * CHANNELS);
    const { loss } = await probe.trainOnFeatures(
      rows,
      labels.subarray(step * BATCH, (step + 1) * BATCH),
      rates[step],
    );
    losses.push(loss);
  }
  runtime.close();
  expect(expected[STEPS - 1], name).toBeLessThan(0.8 * expected[0]);
  const worst = Math.max(...losses.map((loss, step) => Math.abs(loss - expected[step]) / expected[step]));
  expect(worst).toBeLessThan(1e-5);
});
