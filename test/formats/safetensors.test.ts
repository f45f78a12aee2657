import { describe, expect, it } from 'vitest';
import { bytesOf, DTYPES, elementSize, hostTensor, loadTensor } from '../../src/core/array.js';
import { UserError } from '../../src/core/errors.js';
import { RandomStream } from '../../src/core/rng.js';
import { memorySource } from '../../src/formats/byte-source.js';
import { readSafetensors, writeSafetensors } from '../../src/formats/safetensors.js';
import type { WritableTensor } from '../../src/formats/streamed-tensor.js';
import { MemoryFile } from './memory-file.js';
import { randomTensor } from './random-value.js';

/** As the reference's own writer makes it: {a: 2 x 2 float32 1..4, b: int64 [5]}, metadata {format: pt}. */
const HEADER =
  '{"__metadata__":{"format":"pt"},"b":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[2,2],"data_offsets":[8,24]}}   ';
const VECTOR = Buffer.concat([
  Buffer.from('9000000000000000', 'hex'),
  Buffer.from(HEADER),
  Buffer.from('05000000000000000000803f000000400000404000008040', 'hex'),
]);
const A = hostTensor('float32', [2, 2], Float32Array.of(1, 2, 3, 4));
const B = hostTensor('int64', [1], BigInt64Array.of(5n));

const read = (bytes: Uint8Array) => readSafetensors(memorySource('x.safetensors', bytes));
async function written(tensors: ReadonlyMap<string, WritableTensor>, metadata?: ReadonlyMap<string, string>) {
  const file = new MemoryFile();
  await writeSafetensors(file, tensors, metadata);
  return file.bytes;
}

/** A file of this header, and as many bytes of data. */
function fileOf(header: unknown, data = 0): Buffer {
  const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, Buffer.alloc(data)]);
}
const f32 = (begin: number, end: number, shape = [(end - begin) / 4]) => ({
  dtype: 'F32',
  shape,
  data_offsets: [begin, end],
});

describe('the vector of the format', () => {
  it('is read', async () => {
    const { tensors, metadata } = await read(VECTOR);
    expect([...tensors.keys()]).toEqual(['b', 'a']);
    expect(await tensors.get('a')?.load()).toEqual(A);
    expect(await tensors.get('b')?.load()).toEqual(B);
    expect(metadata).toEqual(new Map([['format', 'pt']]));
  });

  it('is written, byte for byte, whatever the order', async () => {
    const tensors = new Map<string, WritableTensor>([
      ['a', A],
      ['b', B],
    ]);
    expect((await written(tensors, new Map([['format', 'pt']]))).equals(VECTOR)).toBe(true);
  });
});

describe('round trips', () => {
  it('keep every bit of every type and shape', async () => {
    const random = new RandomStream(1, 'safetensors');
    const tensors = new Map(
      DTYPES.flatMap((dtype) =>
        [[], [0], [3], [2, 0, 4], [2, 3, 1]].map(
          (shape) => [`${dtype} ${shape}`, randomTensor(random, dtype, shape)] as const,
        ),
      ),
    );
    const bytes = await written(tensors);
    const found = (await read(bytes)).tensors;
    expect([...found.keys()].sort()).toEqual([...tensors.keys()].sort());
    for (const [name, tensor] of tensors) {
      const other = found.get(name);
      if (other === undefined) throw new Error(name);
      expect([other.dtype, other.shape]).toEqual([tensor.dtype, tensor.shape]);
      expect(Buffer.from(bytesOf(await loadTensor(other))).equals(bytesOf(tensor)), name).toBe(true);
    }
    expect(Number(bytes.readBigUInt64LE(0)) % 8).toBe(0);
    const sizes = [...found.values()].map(({ dtype }) => elementSize(dtype));
    expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
  });

  it('keep names that objects have of their own', async () => {
    const names = ['__proto__', 'constructor', '1', '0', 'größe', 'a"b\\', ''];
    const tensors = new Map(names.map((name, i) => [name, hostTensor('uint8', [1], Uint8Array.of(i))]));
    const found = (await read(await written(tensors))).tensors;
    for (const [name, tensor] of tensors) expect(await found.get(name)?.load(), name).toEqual(tensor);
    expect(found.size).toBe(names.length);
  });

  it('take tensors that arrive in pieces, and no more and no less than announced', async () => {
    const pieces = async function* (...parts: number[][]) {
      for (const part of parts) yield Uint8Array.from(part);
    };
    const tensor = (...parts: number[][]) =>
      new Map([['t', { dtype: 'uint8', shape: [5], pieces: pieces(...parts) } as const]]);
    const { tensors } = await read(await written(tensor([1, 2], [], [3, 4, 5])));
    expect(await tensors.get('t')?.load()).toEqual(hostTensor('uint8', [5], Uint8Array.of(1, 2, 3, 4, 5)));
    await expect(written(tensor([1, 2]))).rejects.toThrow('gave 2 bytes instead of 5');
  });
});

it('lists what has no array here, and reads the rest', async () => {
  const header = {
    a: f32(0, 4),
    c: { dtype: 'C64', shape: [1], data_offsets: [4, 12] },
    f: { dtype: 'F8_E4M3', shape: [2], data_offsets: [12, 14] },
    q: { dtype: 'F4', shape: [4], data_offsets: [14, 16] },
  };
  const { tensors, unsupported } = await read(fileOf(header, 16));
  expect([...tensors.keys()]).toEqual(['a']);
  expect([...unsupported]).toEqual([
    ['c', 'C64'],
    ['f', 'F8_E4M3'],
    ['q', 'F4'],
  ]);
});

describe('files that are not sound', () => {
  it.each<[string, Uint8Array, RegExp]>([
    ['nothing', Buffer.alloc(3), /too short/],
    [
      'a length beyond all bounds',
      Buffer.from('ffffffffffffff7f7b7d', 'hex'),
      /header of \d+ bytes; 100000000 is the limit/,
    ],
    ['cut off inside the header', VECTOR.subarray(0, 100), /cut off inside its header of 144 bytes/],
    ['cut off inside the data', VECTOR.subarray(0, 170), /cut off: 18 bytes of data instead of 24/],
    ['no JSON', fileOf('{"a":'), /header that is no JSON/],
    ['a list', fileOf([]), /no JSON object/],
    [
      'no UTF-8',
      Buffer.concat([
        fileOf('').subarray(0, 0),
        Buffer.from('0400000000000000', 'hex'),
        Buffer.from([0x7b, 0xff, 0xfe, 0x7d]),
      ]),
      /no JSON/,
    ],
    [
      'a name twice',
      fileOf(`{"a":${JSON.stringify(f32(0, 4))},"a":${JSON.stringify(f32(0, 4))}}`, 4),
      /a: stands twice/,
    ],
    [
      'a field twice',
      fileOf('{"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}', 4),
      /dtype: stands twice/,
    ],
    ['an overlap', fileOf({ a: f32(0, 8), b: f32(4, 12) }, 12), /b: overlaps another tensor/],
    ['a gap', fileOf({ a: f32(0, 4), b: f32(8, 12) }, 12), /b: leaves a gap/],
    ['bytes of no tensor', fileOf({ a: f32(0, 4) }, 9), /5 bytes that belong to no tensor/],
    ['a wrong length', fileOf({ a: f32(0, 8, [3]) }, 8), /a: has 8 bytes, which does not fit F32 \[3\]/],
    ['ends before it begins', fileOf({ a: f32(4, 0, [1]) }, 4), /a: has -4 bytes/],
    ['an unknown dtype', fileOf({ a: { ...f32(0, 4), dtype: 'F33' } }, 4), /a: has the unknown dtype "F33"/],
    ['an unknown field', fileOf({ a: { ...f32(0, 4), code: 'x' } }, 4), /a: has the unknown field "code"/],
    ['half an element', fileOf({ a: f32(0, 4, [0.5]) }, 4), /a: has no shape of natural numbers/],
    ['an absurd shape', fileOf({ a: f32(0, 4, [2 ** 40, 2 ** 40]) }, 4), /a: has 4 bytes/],
    ['three offsets', fileOf({ a: { ...f32(0, 4), data_offsets: [0, 4, 4] } }, 4), /a: has no data_offsets/],
    ['a text for a tensor', fileOf({ a: 'x' }), /a: is described by no object/],
    ['metadata of numbers', fileOf({ __metadata__: { a: 1 } }), /__metadata__: is no object of texts/],
    [
      'deep nesting',
      fileOf(`{"a":${'['.repeat(50_000)}${']'.repeat(50_000)}}`),
      /a: is described by no object|no JSON/,
    ],
  ])('%s', async (_name, bytes, message) => {
    const failed = read(bytes);
    await expect(failed).rejects.toThrow(UserError);
    await expect(failed).rejects.toThrow(/^x\.safetensors: /);
    await expect(failed).rejects.toThrow(message);
  });
});

it('does not write a tensor under the name of the metadata', async () => {
  await expect(written(new Map([['__metadata__', A]]))).rejects.toThrow(/keeps for itself/);
});
