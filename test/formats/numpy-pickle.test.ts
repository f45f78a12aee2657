/** `.pkl` files: arrays stay in the file until they are loaded, and what is written is what is read. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  bytesOf,
  DTYPES,
  elementCount,
  elementSize,
  hostTensor,
  loadTensor,
  tensorFromBytes,
} from '../../src/core/array.js';
import { UserError } from '../../src/core/errors.js';
import { RandomStream } from '../../src/core/rng.js';
import { fileSource, memorySource } from '../../src/formats/byte-source.js';
import { readNumpyPickle, writeNumpyPickle } from '../../src/formats/numpy-pickle.js';
import { PickleWriter } from '../../src/formats/pickle/writer.js';
import { type FileDict, type FileValue, float, isTensor } from '../../src/formats/value.js';
import { describeValue } from './describe.js';
import { MemoryFile } from './memory-file.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scrl-pkl-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function written(value: FileValue): Promise<Buffer> {
  const file = new MemoryFile();
  await writeNumpyPickle(file, value);
  return file.bytes;
}

function randomTensor(dtype: (typeof DTYPES)[number], shape: number[]) {
  const random = new RandomStream(1, `pkl ${dtype} ${shape}`);
  const bytes = new Uint8Array(elementCount(shape) * elementSize(dtype));
  for (let i = 0; i < bytes.length; i++) bytes[i] = dtype === 'bool' ? i & 1 : random.integer(0, 256);
  return tensorFromBytes(dtype, shape, bytes);
}

/** A protocol 2 pickle of one array, its bytes as text: what Python 3 writes for Python 2. */
function protocol2(bytes: Uint8Array): Uint8Array {
  const out = new PickleWriter(2);
  out.global('numpy.core.multiarray', '_reconstruct').op('(').global('numpy', 'ndarray');
  out.op('(').int(0).op('t').bytes(Buffer.from('b')).op('t').op('R').op('(').int(1);
  out.op('(').int(bytes.length).op('t');
  out.global('numpy', 'dtype').op('(').text('u1').op('\x89').op('\x88').op('t').op('R');
  return out.op('\x89').bytes(bytes).op('t').op('b').finish();
}

describe('writeNumpyPickle', () => {
  it('is read back, every element type, scalars and empty arrays', async () => {
    const value: FileDict = new Map<string, FileValue>([
      ['__author__', 'someone'],
      ['matching_heuristics', true],
      ['lr', float(1)],
      ['bytes', Uint8Array.of(0, 128, 255)],
    ]);
    for (const dtype of DTYPES) {
      if (dtype === 'bfloat16') continue;
      for (const shape of [[], [0, 3], [2, 3, 4], [300, 100]])
        value.set(`${dtype} ${shape}`, randomTensor(dtype, shape));
    }
    const found = readNumpyPickle(memorySource('x.pkl', await written(value)));
    expect(await describeValue(found)).toEqual(await describeValue(value));
  });

  it('names a tensor of a type that NumPy does not have', async () => {
    const value = new Map([['model', new Map([['w', hostTensor('bfloat16', [1], Uint16Array.of(1))]])]]);
    await expect(written(value)).rejects.toThrow(/model\.w: .*NumPy has no bfloat16.*--dtype float32/);
  });

  it('gives equal files for equal values', async () => {
    const value = () => new Map([['w', randomTensor('float32', [100])]]);
    expect((await written(value())).equals(await written(value()))).toBe(true);
  });
});

describe('readNumpyPickle', () => {
  it('leaves long arrays in the file', async () => {
    const path = join(folder, 'long.pkl');
    const tensor = randomTensor('float32', [50_000]);
    await writeFile(path, await written(new Map([['w', tensor]])));
    const value = readNumpyPickle(await fileSource(path));
    const lazy = value instanceof Map ? value.get('w') : undefined;
    if (!isTensor(lazy)) throw new Error('no tensor');
    expect('data' in lazy).toBe(false);
    expect(Buffer.from(bytesOf(await loadTensor(lazy))).equals(bytesOf(tensor))).toBe(true);
  });

  it('reads long arrays that protocol 2 wrote as text, with all bytes', async () => {
    const bytes = Uint8Array.from({ length: 200_000 }, (_, i) => (i * 7) & 255);
    const tensor = readNumpyPickle(memorySource('old.pkl', protocol2(bytes)));
    if (!isTensor(tensor)) throw new Error('no tensor');
    expect('data' in tensor).toBe(false);
    expect(Buffer.from(bytesOf(await loadTensor(tensor))).equals(bytes)).toBe(true);
  });

  it('refuses such a text when it is not latin1, or of another length, naming the file', async () => {
    const pickle = Buffer.from(protocol2(new Uint8Array(200_000).fill(200)));
    const at = pickle.indexOf(Buffer.from([0xc3, 0x88, 0xc3, 0x88]));
    const load = async (bytes: Buffer) => {
      const tensor = readNumpyPickle(memorySource('old.pkl', bytes));
      return isTensor(tensor) ? loadTensor(tensor) : tensor;
    };
    const foreign = Buffer.from(pickle);
    foreign[at] = 0xc4;
    await expect(load(foreign)).rejects.toThrow(/^old\.pkl: .*not latin1/);
    const short = Buffer.from(pickle);
    short[at] = 0x41;
    short[at + 1] = 0x41;
    await expect(load(short)).rejects.toThrow(/^old\.pkl: .*do not fit/);
    await expect(load(pickle.subarray(0, pickle.length - 10))).rejects.toThrow(UserError);
  });

  it('says what it did not read', () => {
    const said: string[] = [];
    const log = { info: (line: string) => void said.push(line), warn() {}, debug() {} };
    readNumpyPickle(memorySource('x.pkl', Buffer.from('cargparse\nNamespace\n)R.', 'latin1')), { log });
    expect(said).toEqual(['x.pkl: not read, objects of argparse.Namespace']);
  });
});
