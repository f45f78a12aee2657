/** The model that both of our contestants and the profile use: SCRL, ResNet-50, full heads, 1000 classes. */

import { initializeModule } from '../../src/checkpoint/module-state.js';
import { SILENT } from '../../src/core/log.js';
import { RandomStream } from '../../src/core/rng.js';
import { ensureEngine } from '../../src/engine/install/install.js';
import { Runtime } from '../../src/engine/runtime.js';
import type { Inputs, Step } from '../../src/engine/step.js';
import { sampleBoxes } from '../../src/models/ssl/box-sampler.js';
import { Networks } from '../../src/models/ssl/networks.js';
import { compilePretrainStep, featureSide, NORMALIZED_VIEWS } from '../../src/models/ssl/pretrain-step.js';
import { roiAlignWeights } from '../../src/ops/roi-align-weights.js';
import { Lars } from '../../src/solver/lars.js';
import {
  matchRules,
  parameterRules,
  solverParameters,
  storedParameters,
} from '../../src/solver/param-groups.js';

const CLASSES = 1000;
const BOXES = 10;

export interface BenchStep {
  runtime: Runtime;
  step: Step<string, string>;
  inputs: Inputs<string>;
}

/** Opens the engine, draws weights and inputs, and compiles the step. */
export async function openStep(options: {
  batch: number;
  side: number;
  threads: number;
}): Promise<BenchStep> {
  const { batch, side, threads } = options;
  const { libraries } = await ensureEngine({ log: SILENT });
  const runtime = Runtime.open({ libraries, threads, device: 'cpu' });
  const networks = new Networks(runtime, {
    method: 'scrl',
    backbone: 'resnet50',
    hiddenSize: 4096,
    outputSize: 256,
    classes: CLASSES,
  });
  const matches = matchRules(
    storedParameters(networks.trained()),
    parameterRules({ referenceQuirks: false }),
  );
  const solver = new Lars(runtime, solverParameters(matches), {
    momentum: 0.9,
    nesterov: false,
    weightDecay: 1e-6,
    trust: 0.001,
  });
  for (const store of networks.stores()) await initializeModule(store, 0);
  for (const buffer of solver.buffers) await runtime.write(buffer, new Float32Array(buffer.size));
  const shape = { images: batch, side, boxes: BOXES };
  const step = compilePretrainStep(runtime, networks, solver, { ...shape, viewStage: NORMALIZED_VIEWS });
  return { runtime, step, inputs: makeInputs(batch, side) };
}

function makeInputs(batch: number, side: number): Inputs<string> {
  const stream = new RandomStream(0, 'bench');
  const images = new Float32Array(2 * batch * side * side * 3);
  stream.fillNormal(images, 1);
  // Both views show the whole picture, so boxes are found for every image.
  const crops = Int32Array.from({ length: 10 * batch }, (_, i) => [0, 0, side, side, 0][i % 5]);
  const sampled = sampleBoxes({
    crops,
    count: batch,
    options: {
      boxesPerImage: BOXES,
      iouThreshold: 0.5,
      minSize: Math.min(32, side / 4),
      gridBased: true,
      jitter: undefined,
      onExhausted: 'keep',
      inputSize: side,
    },
    stream: (image) => new RandomStream(0, 'bench boxes', 0, image),
  });
  const cells = featureSide(side);
  const map = { height: cells, width: cells, spatialScale: 1 / 32, samplingRatio: -1, aligned: false };
  return {
    images,
    labels: Int32Array.from({ length: batch }, (_, i) => (i * 37) % CLASSES),
    rate: Float32Array.of(0.01),
    target_rate: Float32Array.of(0.03),
    roi_weights: roiAlignWeights(sampled.boxes, map, sampled.valid),
    valid: Float32Array.from(sampled.valid),
  };
}
