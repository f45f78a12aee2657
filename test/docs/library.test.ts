/** docs/library.md says what is so: its examples run, in programs of their own, against the package as it was built. */

import type { StdioOptions } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { collect, type Outcome, startProcess } from '../helpers/child-processes.js';
import { examplesOf, writeExampleFiles } from '../helpers/examples.js';

const ROOT = join(import.meta.dirname, '../..');
const examples = examplesOf('library.md');

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scrl-library-'));
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(ROOT, join(folder, 'node_modules/scrl-detect'));
  await writeExampleFiles(folder);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function run(code: string): Promise<Outcome> {
  const file = join(folder, 'example.mjs');
  writeFileSync(file, code);
  const stdio: StdioOptions = ['ignore', 'pipe', 'pipe'];
  return collect(startProcess(process.execPath, [file], { cwd: folder, stdio })).ended;
}

/** What an example has to print, by its heading. */
const PRINTS: Readonly<Record<string, RegExp>> = {
  Weights: /^resnet18 layer4\.0\..* \[.*\]\n120 [0-9a-f]{64}\nresnet18 \[ 64, 3, 7, 7 \]\n$/,
  Features: /^2 .* 512\n$/s,
  Evaluation: /^[\d.]+ % of 2 classes\nAP 0\.\d+\n$/,
  Pretraining: /one_machine_000 \d\.\d+\n$/,
  'Files of tensors': /^Float32Array\(2\) \[ 1, 2 \]\n$/,
};

describe('the examples', () => {
  it('are these', () => {
    expect(examples.map(({ title }) => title)).toEqual(Object.keys(PRINTS));
  });

  for (const { title, code } of examples) {
    it(`run, and print nothing but what they say: ${title}`, async () => {
      expect(await run(code)).toEqual({ code: 0, out: expect.stringMatching(PRINTS[title]), err: '' });
    });
  }
});

describe('importing', () => {
  it('loads neither TensorFlow nor sharp, installs no handlers and prints nothing', async () => {
    const result = await run(`
      import { createRequire } from 'node:module';
      const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'exit', 'uncaughtException', 'unhandledRejection'];
      const before = signals.map((name) => process.listenerCount(name));
      const faces = ['scrl-detect', 'scrl-detect/pycocotools', 'scrl-detect/formats'];
      const all = await Promise.all(faces.map((face) => import(face)));
      if (all.some(({ UserError }) => UserError !== all[0].UserError)) throw new Error('two UserErrors');
      if (before.join() !== signals.map((name) => process.listenerCount(name)).join()) throw new Error('handlers');
      console.log(Object.keys(createRequire(import.meta.url).cache).filter((path) => /tfjs|sharp/.test(path)));`);
    expect(result).toEqual({ code: 0, out: '[]\n', err: '' });
  });
});
