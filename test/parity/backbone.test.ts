/**
 * A trained module of ours in PyTorch: its state dict loads strictly into the peer's network, and so do the weights that
 * `scrl convert` makes of it; the features are equal.
 * Needs a Python with torch: `$SCRL_PYTHON`, else `python3`.
 */

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { initializeModule, moduleState } from '../../src/checkpoint/module-state.js';
import type { Runtime } from '../../src/engine/runtime.js';
import { writeTorchFile } from '../../src/formats/torch-pth.js';
import { ResNet } from '../../src/models/backbone/resnet.js';
import { Mlp } from '../../src/models/ssl/mlp.js';
import { ModuleStore } from '../../src/nn/module-store.js';
import { randomArray } from '../helpers/arrays.js';
import { startCli } from '../helpers/cli.js';
import { openRuntime } from '../helpers/engine.js';

const SCRIPT = fileURLToPath(new URL('./python/backbone.py', import.meta.url));
const [IMAGES, SIDE, HIDDEN, OUTPUTS] = [4, 96, 64, 16];

let folder: string;
let runtime: Runtime;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scrl-parity-'));
  runtime = await openRuntime();
});
afterAll(async () => {
  runtime.close();
  await rm(folder, { recursive: true, force: true });
});

it('a ResNet-50 with its projector', async () => {
  const store = new ModuleStore(runtime, 'online_network');
  const encoder = new ResNet(store, 'encoder.', 'resnet50');
  new Mlp(store, 'projector.', { inputs: encoder.channels, hidden: HIDDEN, outputs: OUTPUTS });
  await initializeModule(store, 1);
  const inputs = { images: { type: 'float32', shape: [IMAGES, SIDE, SIDE, 3] } } as const;
  const compile = (name: string, mode: 'training' | 'inference') =>
    runtime.compile(name, inputs, ({ images }) => ({ features: encoder.forward(images, mode).res5 }));
  // Running statistics that are those of images, so that the features do not explode.
  const train = compile('statistics', 'training');
  const images = randomArray(IMAGES * SIDE * SIDE * 3, 'images');
  for (let i = 0; i < 60; i++) await train.run({ images });
  const { features } = await compile('features', 'inference').run({ images });

  const [module, converted, pkl, fed, found] = [
    'module.pth',
    'r50.pth',
    'r50.pkl',
    'images.bin',
    'features.bin',
  ].map((name) => join(folder, name));
  await writeTorchFile(module, moduleState(store, 60));
  await writeFile(fed, new Uint8Array(images.buffer));
  // As published weights travel: to Detectron2, and from there to torchvision's names.
  await convertFile(module, pkl);
  await convertFile(pkl, converted);
  for (const path of [module, converted]) {
    const sizes = [IMAGES, SIDE, HIDDEN, OUTPUTS].map(String);
    await promisify(execFile)(process.env.SCRL_PYTHON ?? 'python3', [SCRIPT, path, fed, found, ...sizes]);
    const theirs = new Float32Array(new Uint8Array(await readFile(found)).buffer);
    expect(theirs.length).toBe(features.length);
    const largest = theirs.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
    expect(largest).toBeGreaterThan(0.1);
    const error = theirs.reduce((max, value, i) => Math.max(max, Math.abs(value - Number(features[i]))), 0);
    expect(error / largest).toBeLessThan(1e-4);
  }
});

async function convertFile(input: string, output: string): Promise<void> {
  const { ended } = startCli(folder, ['convert', input, output]);
  expect(await ended).toMatchObject({ code: 0 });
}
