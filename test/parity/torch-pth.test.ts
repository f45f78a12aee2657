/**
 * `.pth` files against PyTorch itself: what we write it loads, with weights_only, to the same bits; what it writes, in its
 * dialects of ten years, we read to the same bits. Needs a Python with torch and numpy: `$SCRL_PYTHON`, else `python3`.
 */

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hostTensor } from '../../src/core/array.js';
import { RandomStream } from '../../src/core/rng.js';
import { readTorchFile, verifyTorchFile, writeTorchFile } from '../../src/formats/torch-pth.js';
import { type FileValue, float } from '../../src/formats/value.js';
import { type Description, describeValue } from '../formats/describe.js';
import { randomValue } from '../formats/random-value.js';

const SCRIPT = fileURLToPath(new URL('./python/torch_pth.py', import.meta.url));

async function python(...args: string[]): Promise<string> {
  const run = promisify(execFile);
  const { stdout } = await run(process.env.SCRL_PYTHON ?? 'python3', [SCRIPT, ...args], {
    maxBuffer: 2 ** 28,
  });
  return stdout;
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scrl-parity-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('torch.load of what writeTorchFile wrote', () => {
  it('gives equal values', async () => {
    const tied = hostTensor('float32', [2], Float32Array.of(1, 2));
    const values: FileValue[] = [
      new Map<string | number, FileValue>([
        ['epoch', 20],
        ['lr', float(1)],
        [
          'state_dict',
          new Map([
            ['a', tied],
            ['b', tied],
          ]),
        ],
        ['long', Array.from({ length: 2500 }, (_, i) => i)],
        ['wide', new Map(Array.from({ length: 2500 }, (_, i) => [i, null]))],
      ]),
    ];
    const random = new RandomStream(5, 'parity');
    for (let i = 0; i < 60; i++) values.push(randomValue(random));
    const paths = values.map((_, i) => join(folder, `ours-${i}.pth`));
    for (const [i, path] of paths.entries()) await writeTorchFile(path, values[i]);
    const lines = (await python('read', ...paths)).trim().split('\n');
    for (const [i, value] of values.entries())
      expect(JSON.parse(lines[i])).toEqual(await describeValue(value));
  });
});

describe('readTorchFile of what torch.save wrote', () => {
  it('gives equal values, and the same again after writing and reading', async () => {
    await python('write', folder);
    const expected: Record<string, Description> = JSON.parse(
      await readFile(join(folder, 'expected.json'), 'utf8'),
    );
    expect(Object.keys(expected).length).toBeGreaterThan(30);
    for (const [name, description] of Object.entries(expected)) {
      const path = join(folder, name);
      await verifyTorchFile(path);
      const value = await readTorchFile(path);
      expect(await describeValue(value), name).toEqual(description);
      if (JSON.stringify(description).includes('"opaque"')) continue;
      await writeTorchFile(join(folder, 'again.pth'), value);
      expect(await describeValue(await readTorchFile(join(folder, 'again.pth'))), name).toEqual(description);
    }
  });
});
