/** The bundle of TensorFlow.js: complete, quiet, and alone. */

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { builtinModules, createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const require = createRequire(import.meta.url);
const ROOT = join(import.meta.dirname, '../..');

/** Runs a module in a process of its own, in which a deprecated function of Node throws. */
function runAlone(code: string) {
  const flags = ['--throw-deprecation', '--input-type=module', '--eval'];
  const { status, stdout, stderr } = spawnSync(process.execPath, [...flags, code], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

describe('the bundle', () => {
  it('says nothing, uses nothing deprecated, and leaves nothing on the global object', () => {
    const code = `
      import util from 'node:util';
      const before = Object.getOwnPropertyNames(globalThis);
      util.isArray = util.isNullOrUndefined = () => { throw new Error('a deprecated function of node:util'); };
      const { loadTfjs } = await import('./dist/src/engine/recorder.js');
      const tf = loadTfjs();
      if (tf.getBackend() !== 'tensorflow') throw new Error(tf.getBackend());
      process.stdout.write(Object.getOwnPropertyNames(globalThis).filter((name) => !before.includes(name)).join());`;
    expect(runAlone(code)).toEqual({ status: 0, stdout: '', stderr: '' });
  });

  it('is not loaded by what imports an operation or opens images', () => {
    const code = `
      import { readFileSync } from 'node:fs';
import { builtinModules, createRequire } from 'node:module';
      await import('./dist/src/ops/conv2d.js');
      await import('./dist/src/models/ssl/pretrain-step.js');
      await import('./dist/src/image/decode.js');
      process.stdout.write(Object.keys(createRequire(import.meta.url).cache).join());`;
    expect(runAlone(code)).toEqual({ status: 0, stdout: '', stderr: '' });
  });

  it('needs nothing but Node, and shares no engine with a TensorFlow.js that the program has itself', () => {
    const text = readFileSync(join(ROOT, 'dist/tfjs/tfjs.cjs'), 'utf8');
    const needed = [...text.matchAll(/\brequire\(["']([^"']+)["']\)/g)].map(([, name]) => name);
    expect(needed.filter((name) => !builtinModules.includes(name))).toEqual([]);
    const ours = require('#tfjs') as typeof import('@tensorflow/tfjs-core');
    const theirs = require('@tensorflow/tfjs-core') as typeof import('@tensorflow/tfjs-core');
    expect(ours.engine()).not.toBe(theirs.engine());
    expect(theirs.getKernelsForBackend('tensorflow')).toEqual([]);
  });

  it('has the kernels and gradients of both packages', () => {
    const { getKernelsForBackend, getGradient } = require('#tfjs') as typeof import('@tensorflow/tfjs-core');
    expect(getKernelsForBackend('tensorflow').length).toBeGreaterThan(150);
    for (const name of ['Add', 'BatchMatMul', 'Conv2D', 'Max', 'Relu']) {
      expect(getGradient(name)?.kernelName, name).toBe(name);
    }
  });
});
