/**
 * `.pkl`, `.npz` and safetensors against NumPy and the safetensors package, both ways, bit by bit. Needs a Python with torch,
 * numpy and safetensors: `$SCRL_PYTHON`, else `python3`.
 */

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { bytesOf, DTYPES, loadTensor, type TensorSource } from '../../src/core/array.js';
import { RandomStream } from '../../src/core/rng.js';
import type { WritableFile } from '../../src/formats/byte-sink.js';
import { fileSource } from '../../src/formats/byte-source.js';
import { type NpyText, readNpz, writeNpz } from '../../src/formats/npz.js';
import { readNumpyPickle, writeNumpyPickle } from '../../src/formats/numpy-pickle.js';
import { readSafetensors, writeSafetensors } from '../../src/formats/safetensors.js';
import { readTorch } from '../../src/formats/torch-pth.js';
import { type FileDict, isTensor } from '../../src/formats/value.js';
import { randomTensor } from '../formats/random-value.js';

const SCRIPT = fileURLToPath(new URL('./python/formats.py', import.meta.url));
type Described = Record<string, [string, number[], string | string[]]>;

async function python(...args: string[]): Promise<string> {
  const options = { maxBuffer: 2 ** 28 };
  const { stdout } = await promisify(execFile)(
    process.env.SCRL_PYTHON ?? 'python3',
    [SCRIPT, ...args],
    options,
  );
  return stdout;
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scrl-parity-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function describe(entries: Iterable<[string | number, unknown]>): Promise<Described> {
  const described: Described = {};
  for (const [name, entry] of entries) {
    if (isTensor(entry as TensorSource)) {
      const tensor = await loadTensor(entry as TensorSource);
      const bytes = bytesOf(tensor);
      // Of what would be long as text, the checksum.
      const content =
        bytes.length < 1e6
          ? Buffer.from(bytes).toString('hex')
          : createHash('sha256').update(bytes).digest('hex');
      described[name] = [tensor.dtype, [...tensor.shape], content];
    } else {
      const text = entry as NpyText;
      described[name] = ['text', [...text.shape], await text.load()];
    }
  }
  return described;
}

async function read(path: string): Promise<Described> {
  const source = await fileSource(path);
  if (path.endsWith('.pkl')) return describe((readNumpyPickle(source) as FileDict).get('model') as FileDict);
  if (path.endsWith('.pth'))
    return describe(((await readTorch(source)) as FileDict).get('model') as FileDict);
  if (path.endsWith('.npz')) return describe((await readNpz(source)).entries);
  return describe((await readSafetensors(source)).tensors);
}

it('what Python wrote is read, in every dialect', async () => {
  await python('write', folder);
  const expected: Record<string, Described> = JSON.parse(
    await readFile(join(folder, 'expected.json'), 'utf8'),
  );
  expect(Object.keys(expected)).toHaveLength(10);
  for (const [name, arrays] of Object.entries(expected))
    expect(await read(join(folder, name)), name).toEqual(arrays);
});

it('what is written here, Python reads', async () => {
  const random = new RandomStream(6, 'parity');
  const tensors = (dtypes: readonly (typeof DTYPES)[number][]) =>
    new Map(
      dtypes.flatMap((dtype) =>
        [[], [0, 2], [3], [2, 3, 4], [150, 200]].map(
          (shape) => [`${dtype} ${shape}`, randomTensor(random, dtype, shape)] as const,
        ),
      ),
    );
  const numpy = DTYPES.filter((dtype) => dtype !== 'bfloat16');
  const cases: [
    string,
    Map<string, TensorSource>,
    (file: WritableFile, dict: Map<string, TensorSource>) => Promise<void>,
  ][] = [
    ['ours.pkl', tensors(numpy), (file, dict) => writeNumpyPickle(file, new Map([['model', dict]]))],
    ['ours.npz', tensors(numpy), writeNpz],
    ['ours.safetensors', tensors(DTYPES), writeSafetensors],
  ];
  for (const [name, dict, write] of cases) {
    const file = await open(join(folder, name), 'w');
    await write(file, dict).finally(() => file.close());
  }
  const lines = (await python('read', ...cases.map(([name]) => join(folder, name)))).trim().split('\n');
  for (const [i, [name, dict]] of cases.entries())
    expect(JSON.parse(lines[i]), name).toEqual(await describe(dict));
});
