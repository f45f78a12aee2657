/**
 * Our side of the detector benchmark: answers `step N` with the milliseconds of each of N training steps, or of N images in
 * inference. Bytes of the images and outlines of the objects lie ready; all that depends on the network is in the time: anchors
 * and their matching, proposals, sampling, mask targets, and in inference masks of the size of the image.
 */

import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { initializeModule } from '../../src/checkpoint/module-state.js';
import { SILENT } from '../../src/core/log.js';
import { RandomStream } from '../../src/core/rng.js';
import { ensureEngine } from '../../src/engine/install/install.js';
import { Runtime } from '../../src/engine/runtime.js';
import { runDetectStep } from '../../src/models/detection/detect-host.js';
import { compileDetectStep } from '../../src/models/detection/detect-step.js';
import { Detector } from '../../src/models/detection/networks.js';
import { runTrainStep, trainBatch } from '../../src/models/detection/train-host.js';
import { compileTrainStep } from '../../src/models/detection/train-step.js';
import {
  detectorRules,
  matchRules,
  solverParameters,
  storedParameters,
} from '../../src/solver/param-groups.js';
import { Sgd } from '../../src/solver/sgd.js';
import { serve } from './serve.js';

const CLASSES = 80;
/** Of the last norm of a block: with random weights and no batch statistics, sums over fifty layers would grow for ever. */
const RESIDUAL_SCALE = 0.2;
/** Makes class 0 likely everywhere, so that the best hundred detections are always found. */
const LIKELY = 3;
/** Objects of an image, on a grid; all of them are sampled, and they fill the foreground. */
const [COLUMNS, ROWS] = [8, 4];
const SAMPLE = { count: 512, positiveFraction: (COLUMNS * ROWS) / 512 };

const { values } = parseArgs({
  options: {
    mode: { type: 'string', default: 'train' },
    images: { type: 'string', default: '2' },
    height: { type: 'string', default: '480' },
    width: { type: 'string', default: '640' },
    threads: { type: 'string', default: String(availableParallelism()) },
  },
});
const [count, height, width, threads] = [values.images, values.height, values.width, values.threads].map(
  Number,
);
const { libraries } = await ensureEngine({ log: SILENT });
const runtime = Runtime.open({ libraries, threads, device: 'cpu' });
const detector = await randomDetector();
const run = values.mode === 'train' ? await training() : inference();
await serve(
  async (steps) => {
    const times: number[] = [];
    for (let i = 0; i < steps; i++) {
      const began = performance.now();
      await run();
      times.push(performance.now() - began);
    }
    return times;
  },
  { info: { versions: { tensorflow: runtime.version, node: process.version }, threads: runtime.threads } },
);
runtime.close();

async function randomDetector(): Promise<Detector> {
  const detector = new Detector(runtime, {
    backbone: 'resnet50',
    weightsStyle: 'torch',
    freezeAt: 2,
    norms: { backbone: 'frozen', fpn: 'none', boxHead: 'none', maskHead: 'none' },
    boxHead: 'fc2',
    masks: true,
    classes: CLASSES,
  });
  await initializeModule(detector.store, 0);
  for (const { key, variable } of detector.store.entries) {
    if (key.endsWith('conv3.norm.weight'))
      await runtime.write(variable, new Float32Array(variable.size).fill(RESIDUAL_SCALE));
    if (key.endsWith('cls_score.weight')) await runtime.write(variable, new Float32Array(variable.size));
    if (key.endsWith('cls_score.bias'))
      await runtime.write(
        variable,
        Float32Array.from({ length: variable.size }, (_, k) => (k === 0 ? LIKELY : 0)),
      );
  }
  return detector;
}

function pixels() {
  const random = new RandomStream(0, 'bench');
  const images = Uint8Array.from({ length: count * height * width * 3 }, () => random.integer(0, 256));
  const sizes = Int32Array.from({ length: 2 * count }, (_, i) => (i % 2 === 0 ? height : width));
  return { images, height, width, sizes };
}

/** Boxes and outlines of an image's objects: octagons of growing size, one in each cell of a grid. */
function objects() {
  const cells = Array.from({ length: COLUMNS * ROWS }, (_, i) => {
    const share = 0.4 + (0.5 * i) / (COLUMNS * ROWS);
    const [w, h] = [(share * width) / COLUMNS, (share * height) / ROWS];
    const [x, y] = [((i % COLUMNS) * width) / COLUMNS, (Math.floor(i / COLUMNS) * height) / ROWS];
    return { x, y, w, h };
  });
  const outline = ({ x, y, w, h }: (typeof cells)[number]) => ({
    polygons: [
      [0.3, 0, 0.7, 0, 1, 0.3, 1, 0.7, 0.7, 1, 0.3, 1, 0, 0.7, 0, 0.3].map((v, i) =>
        i % 2 === 0 ? x + v * w : y + v * h,
      ),
    ],
  });
  return {
    boxes: Float32Array.from(cells.flatMap(({ x, y, w, h }) => [x, y, x + w, y + h])),
    classes: Int32Array.from(cells, (_, i) => i % CLASSES),
    outlines: cells.map(outline),
  };
}

async function training() {
  const rules = matchRules(storedParameters([detector.store]), detectorRules({ decayBiases: true }));
  const settings = { momentum: 0.9, nesterov: false, weightDecay: 1e-4 };
  const solver = new Sgd(runtime, solverParameters(rules), settings);
  await runtime.clear(solver.buffers);
  const candidatesPerLevel = 2000;
  const step = compileTrainStep(runtime, detector, solver, {
    images: count,
    candidatesPerLevel,
    anchorsPerImage: 256,
  });
  const batch = { ...pixels(), objects: Array.from({ length: count }, objects) };
  const options = { classes: CLASSES, masks: true, candidatesPerLevel, proposals: 1000, sample: SAMPLE };
  let number = 0;
  return async () => {
    const fed = trainBatch(batch, { seed: 0, step: number++ });
    // A rate of zero: the same work, and weights that stay where they are.
    const { regions } = await runTrainStep(step, fed, 0, options);
    for (const { classes, foreground } of regions) {
      expectCount('regions', classes.length, SAMPLE.count);
      expectCount('foreground', foreground, COLUMNS * ROWS);
    }
  };
}

function inference() {
  const candidatesPerLevel = 1000;
  const step = compileDetectStep(runtime, detector, { images: count, candidatesPerLevel });
  const batch = { ...pixels(), outputs: Array.from({ length: count }, () => ({ height, width })) };
  return async () => {
    for (const { scores } of await runDetectStep(step, batch, { classes: CLASSES, candidatesPerLevel })) {
      expectCount('detections', scores.length, 100);
    }
  };
}

/** @throws Error when a side does other work than it should */
function expectCount(what: string, found: number, expected: number): void {
  if (found !== expected) throw new Error(`${found} ${what} of an image, expected ${expected}`);
}
