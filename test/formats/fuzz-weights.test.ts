/**
 * Spoilt and hostile files of weights, in every format beside PyTorch's (`fuzz.test.ts`): each is read or refused with a
 * `UserError` that names the file. Seeded, more than 20,000 cases in both files together. What is generated and written is
 * also read back.
 */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  DTYPES,
  type DType,
  elementCount,
  elementSize,
  loadTensor,
  tensorFromBytes,
} from '../../src/core/array.js';
import { UserError } from '../../src/core/errors.js';
import { RandomStream } from '../../src/core/rng.js';
import { type ByteSource, memorySource } from '../../src/formats/byte-source.js';
import { readNpz, writeNpz } from '../../src/formats/npz.js';
import { readNumpyPickle, writeNumpyPickle } from '../../src/formats/numpy-pickle.js';
import { LONG_PAYLOAD } from '../../src/formats/pickle/input.js';
import { readSafetensors, writeSafetensors } from '../../src/formats/safetensors.js';
import type { WritableTensor } from '../../src/formats/streamed-tensor.js';
import { readTorch, writeTorch } from '../../src/formats/torch-pth.js';
import { type FileDict, type FileValue, float, loadAll } from '../../src/formats/value.js';
import { ZipWriter } from '../../src/formats/zip/writer.js';
import { describeValue } from './describe.js';
import { MemoryFile } from './memory-file.js';
import { mutate } from './mutate.js';
import { randomTensor } from './random-value.js';

type Reader = (source: ByteSource) => Promise<unknown>;

const READERS: Record<string, Reader> = {
  pkl: async (source) => loadAll(readNumpyPickle(source)),
  safetensors: async (source) => {
    for (const tensor of (await readSafetensors(source)).tensors.values()) await loadTensor(tensor);
  },
  npz: async (source) => {
    for (const entry of (await readNpz(source)).entries.values()) await entry.load();
  },
};

async function readOrRefuse(read: Reader, bytes: Uint8Array): Promise<boolean> {
  try {
    await read(memorySource('fuzz.bin', bytes));
    return true;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    expect(error.message).toMatch(/^fuzz\.bin: /);
    return false;
  }
}

async function written(write: (file: MemoryFile) => Promise<unknown>): Promise<Buffer> {
  const file = new MemoryFile();
  await write(file);
  return file.bytes;
}

const random = new RandomStream(1, 'fuzz weights');
const TENSORS = new Map(
  (['float32', 'int64', 'uint8', 'bool', 'float16'] as const).map((dtype, i) => [
    dtype,
    randomTensor(random, dtype, [i, 2]),
  ]),
);
/** Protocol 4 of NumPy 2: {"model": {"w": [1, 2] float32}, "__author__": "x", "matching_heuristics": True}. */
const PROTOCOL_4 = Buffer.from(
  '800495cc000000000000007d94288c056d6f64656c947d948c0177948c166e756d70792e5f636f72652e6d756c74696172726179948c0c5f7265636f6e7374' +
    '727563749493948c056e756d7079948c076e6461727261799493944b0085944301629487945294284b014b02859468078c056474797065949394' +
    '8c02663494898887945294284b038c013c944e4e4e4affffffff4affffffff4b007494628943080000803f0000004094749462738c0a5f5f6175' +
    '74686f725f5f948c0178948c136d61746368696e675f686575726973746963739488752e',
  'hex',
);

describe('spoilt files are read or refused', () => {
  it.each<[string, string, number, () => Promise<Uint8Array>]>([
    [
      'pickles of our own',
      'pkl',
      5000,
      () => written((file) => writeNumpyPickle(file, new Map([['model', TENSORS]]))),
    ],
    ['pickles of NumPy 2', 'pkl', 4000, async () => PROTOCOL_4],
    [
      'safetensors',
      'safetensors',
      4000,
      () => written((file) => writeSafetensors(file, TENSORS, new Map([['a', 'b']]))),
    ],
    [
      'npz',
      'npz',
      2000,
      () =>
        written((file) =>
          writeNpz(file, new Map<string, WritableTensor | string[]>([...TENSORS, ['files', ['a', 'b']]])),
        ),
    ],
  ])('%s', async (name, format, cases, make) => {
    const original = Buffer.from(await make());
    expect(await readOrRefuse(READERS[format], original)).toBe(true);
    const stream = new RandomStream(2, name);
    let refused = 0;
    for (let i = 0; i < cases; i++) {
      if (!(await readOrRefuse(READERS[format], mutate(original, stream)))) refused++;
    }
    expect(refused).toBeGreaterThan(cases / 10);
    // A truncated pickle or archive is never whole; of safetensors, the same.
    for (let length = 0; length < original.length; length += 3) {
      expect(await readOrRefuse(READERS[format], original.subarray(0, length))).toBe(false);
    }
  });

  it('members of npz archives that are intact themselves', async () => {
    const member = Buffer.concat([
      Buffer.from("\x93NUMPY\x01\0v\0{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1), }", 'latin1'),
      Buffer.alloc(58, ' '),
      Buffer.alloc(8),
    ]);
    const stream = new RandomStream(3, 'npy');
    for (let i = 0; i < 2000; i++) {
      const bytes = await written(async (file) => {
        const zip = new ZipWriter(file);
        await zip.add('a.npy', mutate(member, stream));
        await zip.finish();
      });
      await readOrRefuse(READERS.npz, bytes);
    }
  });
});

describe('hostile pickles end soon', () => {
  const pickle = (text: string) => Buffer.from(text, 'latin1');
  const refused = async (bytes: Uint8Array) => expect(await readOrRefuse(READERS.pkl, bytes)).toBe(false);
  const length = (value: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    return bytes.toString('latin1');
  };
  const array = (shape: string, bytes: string) =>
    'cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\0tU\x01btR(K\x01' +
    `${shape}cnumpy\ndtype\n(U\x02u1K\0K\x01tR(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb\x89${bytes}tb.`;

  it('a dict that contains itself', () => refused(pickle('\x80\x02}q\0U\x01ah\0s.')));
  it('nesting', () => refused(pickle(`\x80\x02${']'.repeat(50_000)}${'a'.repeat(49_999)}.`)));
  it('a stack without end', () => refused(pickle(`\x80\x02${'('.repeat(2_000_000)}.`)));
  it('a huge integer', () => refused(pickle(`\x80\x02\x8b${length(0x7fffffff)}x.`)));
  it('a list that doubles', () =>
    refused(
      pickle(
        `\x80\x02]q\0${Array.from({ length: 60 }, (_, i) => `](h${String.fromCharCode(i)}h${String.fromCharCode(i)}eq${String.fromCharCode(i + 1)}`).join('')}.`,
      ),
    ));
  it('bytes past the end', () => refused(pickle(`\x80\x03B${length(LONG_PAYLOAD)}abc.`)));
  it('text past the end', () => refused(pickle(`\x80\x02X${length(0xffffffff)}abc.`)));
  it('an array of an absurd shape', () =>
    refused(pickle(array('(J\xff\xff\xff\x7fJ\xff\xff\xff\x7ft', 'U\x01a'))));
  it('an array of a negative side', () => refused(pickle(array('(J\xff\xff\xff\xfft', 'U\x01a'))));
  it('a class that would run a command is a name', async () => {
    const value = readNumpyPickle(memorySource('x.pkl', pickle("cos\nsystem\n(S'touch /tmp/never'\ntR.")));
    expect(await describeValue(value)).toEqual({ opaque: 'os.system' });
  });
});

it('a zip bomb is refused before it is inflated', async () => {
  const { deflateRawSync, crc32 } = await import('node:zlib');
  const zeros = Buffer.alloc(50_000_000);
  const packed = deflateRawSync(zeros);
  const name = Buffer.from('a.npy');
  const fields = Buffer.alloc(26);
  fields.writeUInt16LE(20, 0);
  fields.writeUInt16LE(8, 4);
  fields.writeUInt32LE(crc32(zeros), 10);
  fields.writeUInt32LE(packed.length, 14);
  // Layers of archives claim more than one layer of deflate can hold.
  fields.writeUInt32LE(2000 * packed.length, 18);
  fields.writeUInt16LE(name.length, 22);
  const local = Buffer.concat([Buffer.from('PK\x03\x04'), fields, name, packed]);
  const directory = Buffer.concat([Buffer.from('PK\x01\x02\x14\0'), fields, Buffer.alloc(14), name]);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(local.length, 16);
  const failed = readNpz(memorySource('bomb.npz', Buffer.concat([local, directory, end])));
  await expect(failed).rejects.toThrow(/bomb\.npz: a\.npy: claims \d+ bytes/);
});

describe('what is generated comes back', () => {
  const shape = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 });
  const tensor = (dtypes: readonly DType[]) =>
    fc
      .tuple(fc.constantFrom(...dtypes), shape, fc.infiniteStream(fc.integer({ min: 0, max: 255 })))
      .map(([dtype, sides, stream]) => {
        const bytes = new Uint8Array(elementCount(sides) * elementSize(dtype));
        for (let i = 0; i < bytes.length; i++)
          bytes[i] = dtype === 'bool' ? stream.next().value & 1 : stream.next().value;
        return tensorFromBytes(dtype, sides, bytes);
      });
  const name = fc.string({ unit: 'grapheme', maxLength: 12 });
  const value = (dtypes: readonly DType[]) =>
    fc.letrec<{ value: FileValue; dict: FileDict }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom<FileValue>(null, true, false),
        fc.integer() as fc.Arbitrary<FileValue>,
        fc
          .bigInt({ min: -(2n ** 200n), max: 2n ** 200n })
          .filter((big) => big > 2n ** 60n || big < -(2n ** 60n)) as fc.Arbitrary<FileValue>,
        fc.double().map(float) as fc.Arbitrary<FileValue>,
        name as fc.Arbitrary<FileValue>,
        fc.uint8Array({ maxLength: 20 }).map((bytes) => new Uint8Array(bytes)) as fc.Arbitrary<FileValue>,
        tensor(dtypes) as fc.Arbitrary<FileValue>,
        fc.array(tie('value'), { maxLength: 4 }) as fc.Arbitrary<FileValue>,
        tie('dict') as fc.Arbitrary<FileValue>,
      ),
      dict: fc
        .array(fc.tuple(fc.oneof(name, fc.integer({ min: 0, max: 2 ** 40 })), tie('value')), { maxLength: 4 })
        .map((pairs) => new Map(pairs)),
    })).value;
  const numpy = DTYPES.filter((dtype) => dtype !== 'bfloat16');

  it('through .pth', () =>
    fc.assert(
      fc.asyncProperty(value(DTYPES), async (tree) => {
        const bytes = await written((file) => writeTorch(file, tree));
        expect(await describeValue(await readTorch(memorySource('x.pth', bytes)))).toEqual(
          await describeValue(tree),
        );
      }),
      { numRuns: 1000, seed: 1 },
    ));

  it('through .pkl', () =>
    fc.assert(
      fc.asyncProperty(value(numpy), async (tree) => {
        const bytes = await written((file) => writeNumpyPickle(file, tree));
        expect(await describeValue(readNumpyPickle(memorySource('x.pkl', bytes)))).toEqual(
          await describeValue(tree),
        );
      }),
      { numRuns: 1000, seed: 2 },
    ));

  it('through safetensors', () =>
    fc.assert(
      fc.asyncProperty(
        fc.dictionary(
          name.filter((key) => key !== '__metadata__'),
          tensor(numpy),
          { maxKeys: 5 },
        ),
        async (entries) => {
          const tensors = new Map(Object.entries(entries));
          const safe = await readSafetensors(
            memorySource('x', await written((file) => writeSafetensors(file, tensors))),
          );
          const sorted = (dict: FileDict) => new Map([...dict].sort(([a], [b]) => (a < b ? -1 : 1)));
          expect(await describeValue(sorted(safe.tensors))).toEqual(await describeValue(sorted(tensors)));
        },
      ),
      { numRuns: 500, seed: 3 },
    ));
});
