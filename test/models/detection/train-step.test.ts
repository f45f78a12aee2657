/** A small detector's steps: any size, no objects, what is not finite, and the same weights from the same seed. */

import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { initializeModule } from '../../../src/checkpoint/module-state.js';
import { RandomStream } from '../../../src/core/rng.js';
import type { Runtime } from '../../../src/engine/runtime.js';
import type { Step } from '../../../src/engine/step.js';
import { runDetectStep } from '../../../src/models/detection/detect-host.js';
import { compileDetectStep } from '../../../src/models/detection/detect-step.js';
import { nonFiniteFinder } from '../../../src/models/detection/find-non-finite.js';
import { Detector, type DetectorOptions } from '../../../src/models/detection/networks.js';
import { runTrainStep, type TrainBatch, trainBatch } from '../../../src/models/detection/train-host.js';
import { compileTrainStep } from '../../../src/models/detection/train-step.js';
import { Sgd } from '../../../src/solver/sgd.js';
import type { Solver } from '../../../src/solver/solver.js';
import { liveTensors } from '../../../src/tensorflow/tensor.js';
import { openRuntime } from '../../helpers/engine.js';

const OPTIONS: DetectorOptions = {
  backbone: 'resnet18',
  weightsStyle: 'torch',
  freezeAt: 0,
  norms: { backbone: 'batch', fpn: 'batch', boxHead: 'batch', maskHead: 'batch' },
  boxHead: '4conv1fc',
  masks: true,
  classes: 3,
  fpnChannels: 16,
  fcDim: 32,
  convDim: 16,
};
const HOST = {
  classes: 3,
  masks: true,
  candidatesPerLevel: 50,
  proposals: 30,
  sample: { count: 16, positiveFraction: 0.25 },
};
const ANCHORS = { count: 32, positiveFraction: 0.5 };

interface Opened {
  runtime: Runtime;
  detector: Detector;
  solver: Solver;
  step: Step<string, string>;
}

async function open(): Promise<Opened> {
  const runtime = await openRuntime();
  const detector = new Detector(runtime, OPTIONS);
  await initializeModule(detector.store, 5);
  const rule = { decay: true, adapted: false, squaredRate: false };
  const parameters = detector.store.parameters().map(({ variable }) => ({ variable, rule }));
  const solver = new Sgd(runtime, parameters, { momentum: 0.9, nesterov: false, weightDecay: 1e-4 });
  await runtime.clear(solver.buffers);
  const { candidatesPerLevel } = HOST;
  const step = compileTrainStep(runtime, detector, solver, {
    images: 2,
    candidatesPerLevel,
    anchorsPerImage: ANCHORS.count,
  });
  return { runtime, detector, solver, step };
}

/** Two images of noise. @param boxes of the objects of the first; the second has none */
function batchOf(height: number, width: number, boxes: number[][], seed = 1): TrainBatch {
  const stream = new RandomStream(seed, 'batch', height, width);
  const images = Uint8Array.from({ length: 2 * height * width * 3 }, () => stream.integer(0, 256));
  const objects = [boxes, []].map((own) => ({
    boxes: Float32Array.from(own.flat()),
    classes: Int32Array.from(own, (_, i) => i % 3),
    outlines: own.map(([x1, y1, x2, y2]) => ({ polygons: [[x1, y1, x2, y1, x2, y2, x1, y2]] })),
  }));
  const sizes = Int32Array.of(height, width, height, width);
  return trainBatch({ images, height, width, sizes, objects }, { seed, step: 0, size: ANCHORS });
}

const TWO = [
  [5, 6, 40, 50],
  [30, 20, 60, 44],
];

async function readAll({ runtime, detector }: Opened): Promise<Map<string, Float32Array>> {
  const { entries } = detector.store;
  const values = (await runtime.readAll(entries.map(({ variable }) => variable))) as Float32Array[];
  return new Map(entries.map(({ key }, i) => [key, values[i]]));
}

/** All weights and statistics as one text. */
async function digest(opened: Opened): Promise<string> {
  const hash = createHash('sha256');
  for (const values of (await readAll(opened)).values()) hash.update(values);
  return hash.digest('hex');
}

let opened: Opened;
beforeAll(async () => {
  opened = await open();
});
afterAll(() => opened.runtime.close());

describe('a step', () => {
  it('takes batches of any size, and objects or none', async () => {
    for (const [height, width] of [
      [64, 96],
      [128, 64],
      [32, 32],
    ]) {
      const { losses, total } = await runTrainStep(opened.step, batchOf(height, width, TWO), 0.01, HOST);
      const values = Object.values(losses);
      expect(values).toHaveLength(5);
      expect(values.every((loss) => loss > 0 && loss < 10)).toBe(true);
      expect(total).toBeCloseTo(
        values.reduce((a, b) => a + b, 0),
        5,
      );
    }
  });

  it('without any object has no box and no mask loss, and leaves the mask head and its statistics as they were', async () => {
    const before = await readAll(opened);
    const { losses, regions } = await runTrainStep(opened.step, batchOf(64, 64, []), 0.01, HOST);
    expect(regions.map(({ foreground }) => foreground)).toEqual([0, 0]);
    expect(losses).toMatchObject({ loss_box_reg: 0, loss_mask: 0, loss_rpn_loc: 0 });
    const after = await readAll(opened);
    for (const [key, values] of after) {
      expect(values.every(Number.isFinite), key).toBe(true);
      if (key.includes('mask_head') && key.includes('running')) expect(values).toEqual(before.get(key));
    }
  });

  it('that is not finite says where, and changes nothing', async () => {
    const tensors = liveTensors();
    const fails = async (batch: TrainBatch, term: RegExp) => {
      const before = await digest(opened);
      const failing = runTrainStep(opened.step, batch, 0.01, HOST);
      await expect(failing).rejects.toMatchObject({
        name: 'DivergenceError',
        term: expect.stringMatching(term),
      });
      expect(await digest(opened)).toBe(before);
    };
    const infinite = batchOf(64, 64, TWO);
    infinite.targets[0].anchors.deltas[0] = Number.POSITIVE_INFINITY;
    await fails(infinite, /^loss_rpn_loc$/);
    const key = 'proposal_generator.rpn_head.objectness_logits.bias';
    const bias = opened.detector.store.entries.find((entry) => entry.key === key)?.variable;
    if (bias === undefined) throw new Error(`no ${key}`);
    const whole = await opened.runtime.read(bias);
    await opened.runtime.write(bias, Float32Array.of(0, Number.NaN, 0));
    // Host and graph find it at the same time.
    await fails(batchOf(64, 64, TWO), /^(RPN logits|loss_rpn_cls)$/);
    await opened.runtime.write(bias, whole);
    expect(liveTensors()).toBe(tensors);
    await runTrainStep(opened.step, batchOf(64, 64, TWO), 0.01, HOST);
  });

  it('that is not finite can be traced to the first layer, and again nothing changes', async () => {
    const batch = batchOf(64, 96, TWO);
    const before = await digest(opened);
    const find = nonFiniteFinder(opened.detector, 2);
    expect(await find(batch)).toBeUndefined();
    expect(await digest(opened)).toBe(before);
    const spoilt = [
      'backbone.bottom_up.res3.0.conv2.weight',
      'backbone.bottom_up.res2.1.conv1.norm.bias',
      'backbone.fpn_lateral3.weight',
      'proposal_generator.rpn_head.conv.bias',
      'proposal_generator.rpn_head.anchor_deltas.weight',
      'roi_heads.box_head.conv2.weight',
      'roi_heads.box_head.fc1.bias',
      'roi_heads.box_predictor.cls_score.bias',
      'roi_heads.box_predictor.bbox_pred.weight',
      'roi_heads.mask_head.mask_fcn3.norm.weight',
      'roi_heads.mask_head.deconv.weight',
      'roi_heads.mask_head.predictor.bias',
    ];
    for (const key of spoilt) {
      const variable = opened.detector.store.entries.find((entry) => entry.key === key)?.variable;
      if (variable === undefined) throw new Error(`no ${key}`);
      const whole = (await opened.runtime.read(variable)) as Float32Array;
      await opened.runtime.write(variable, whole.with(1, Number.NaN));
      expect(await find(batch)).toBe(key.replace(/\.(weight|bias)$/, ''));
      await opened.runtime.write(variable, whole);
    }
  });

  it('gives the same weights from the same seed', async () => {
    const train = async () => {
      await initializeModule(opened.detector.store, 5);
      await opened.runtime.clear(opened.solver.buffers);
      const losses = [];
      for (const [i, side] of [64, 96, 64, 128].entries()) {
        losses.push((await runTrainStep(opened.step, batchOf(side, 64, TWO, i), 0.01, HOST)).losses);
      }
      return { losses, weights: await digest(opened) };
    };
    expect(await train()).toEqual(await train());
  });
});

it('a box head on maps of another side is refused', async () => {
  const runtime = await openRuntime();
  const detector = new Detector(runtime, { ...OPTIONS, boxSide: 14 });
  const compile = () => compileDetectStep(runtime, detector, { images: 1, candidatesPerLevel: 50 });
  expect(compile).toThrow(
    'the regions of the box head must have shape [R, 14, 14, 16], but has [-1, 7, 7, 16]',
  );
  runtime.close();
});

describe('inference', () => {
  it('of what nothing is found in is empty', async () => {
    const { runtime, detector } = opened;
    const step = compileDetectStep(runtime, detector, { images: 2, candidatesPerLevel: 50 });
    const size = { height: 64, width: 96 };
    const batch = { ...batchOf(64, 96, []), outputs: [size, size] };
    const run = (scoreThreshold: number) =>
      runDetectStep(step, batch, { classes: 3, candidatesPerLevel: 50, scoreThreshold });
    for (const found of await run(0.999)) {
      expect(found.scores).toHaveLength(0);
      expect(found.masks).toEqual([]);
    }
    for (const found of await run(0)) {
      expect(found.scores.length).toBeGreaterThan(10);
      expect(found.masks).toHaveLength(found.scores.length);
    }
  });
});
