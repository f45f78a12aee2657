import { mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromTfjs, toTfjs } from '../../src/checkpoint/tfjs-layout.js';
import { bytesOf, hostTensor, loadTensor, type TensorSource } from '../../src/core/array.js';
import { UserError } from '../../src/core/errors.js';
import { RandomStream } from '../../src/core/rng.js';
import { loadTfjs } from '../../src/engine/recorder.js';
import { readTfjs, writeTfjs } from '../../src/formats/tfjs.js';
import { randomTensor } from './random-value.js';

let root: string;
let count = 0;
const fresh = () => join(root, String(count++));
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'scrl-tfjs-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const random = new RandomStream(1, 'tfjs');
const SHARDED = new Map<string, TensorSource>([
  ['small', hostTensor('float32', [2], Float32Array.of(1, 2))],
  ['large', randomTensor(random, 'float32', [3_000_000])],
  ['half', randomTensor(random, 'float16', [3, 2])],
  ['count', hostTensor('int32', [], Int32Array.of(7))],
  ['mask', hostTensor('bool', [3], Uint8Array.of(1, 0, 1))],
  ['empty', hostTensor('float32', [0, 4], new Float32Array(0))],
]);

/** A folder of this model, and shards of this content. */
function folderOf(model: unknown, shards: Record<string, Uint8Array> = {}): string {
  const folder = fresh();
  mkdirSync(folder);
  writeFileSync(join(folder, 'model.json'), typeof model === 'string' ? model : JSON.stringify(model));
  for (const [name, bytes] of Object.entries(shards)) writeFileSync(join(folder, name), bytes);
  return folder;
}
const manifest = (weights: unknown, paths: unknown = ['w.bin']) => ({
  weightsManifest: [{ paths, weights }],
});

describe('writeTfjs', () => {
  it('is read back bit by bit, across shards of 4 MB', async () => {
    const folder = fresh();
    await writeTfjs(folder, SHARDED, new Map([['source', 'here']]));
    const sizes = readdirSync(folder)
      .filter((name) => name.endsWith('.bin'))
      .sort()
      .map((name) => statSync(join(folder, name)).size);
    expect(sizes.slice(0, 2)).toEqual([2 ** 22, 2 ** 22]);
    expect(sizes.length).toBe(3);
    const { tensors, metadata } = await readTfjs(folder);
    expect(metadata.get('source')).toBe('here');
    expect([...tensors.keys()]).toEqual([...SHARDED.keys()]);
    for (const [name, tensor] of SHARDED) {
      const found = await loadTensor(tensors.get(name) as TensorSource);
      expect([found.dtype, found.shape]).toEqual([tensor.dtype, tensor.shape]);
      expect(Buffer.from(bytesOf(found)).equals(bytesOf(await loadTensor(tensor))), name).toBe(true);
    }
  });

  it("is what TensorFlow.js's own decoder reads", async () => {
    const folder = fresh();
    await writeTfjs(folder, SHARDED);
    const [{ paths, weights }] = JSON.parse(readFileSync(join(folder, 'model.json'), 'utf8')).weightsManifest;
    const data = Buffer.concat(paths.map((path: string) => readFileSync(join(folder, path))));
    const buffer = data.buffer.slice(data.byteOffset, data.byteOffset + data.length);
    const decoded = loadTfjs().io.decodeWeights(buffer as ArrayBuffer, weights);
    expect(Object.keys(decoded)).toEqual([...SHARDED.keys()]);
    expect(decoded.small.shape).toEqual([2]);
    expect(decoded.half.dtype).toBe('float32');
    expect(decoded.large.size).toBe(3_000_000);
  });

  it('names a type that TensorFlow.js does not have, and touches no folder that is there', async () => {
    const wide = new Map([['n', hostTensor('int64', [], BigInt64Array.of(1n))]]);
    await expect(writeTfjs(fresh(), wide)).rejects.toThrow(/n: TensorFlow\.js has no int64/);
    const folder = folderOf({});
    await expect(writeTfjs(folder, SHARDED)).rejects.toThrow(/exists already/);
  });
});

describe('readTfjs', () => {
  it('reads quantised weights: value = code * scale + min', async () => {
    const quantization = (dtype: string) => ({ dtype, min: -1, scale: 0.5 });
    const weights = [
      { name: 'a', shape: [2], dtype: 'float32', quantization: quantization('uint8') },
      { name: 'b', shape: [1], dtype: 'float32', quantization: quantization('uint16') },
    ];
    const { tensors } = await readTfjs(folderOf(manifest(weights), { 'w.bin': Uint8Array.of(0, 4, 0, 1) }));
    expect(await tensors.get('a')?.load()).toEqual(hostTensor('float32', [2], Float32Array.of(-1, 1)));
    expect(await tensors.get('b')?.load()).toEqual(hostTensor('float32', [1], Float32Array.of(127)));
  });

  const one = { name: 'a', shape: [1], dtype: 'float32' };
  it.each<[string, () => string, RegExp]>([
    ['no model.json', () => root, /model\.json: no such file/],
    ['no JSON', () => folderOf('{'), /is no JSON/],
    ['no manifest', () => folderOf({}), /weightsManifest: lists no weights/],
    ['a shard that is missing', () => folderOf(manifest([one])), /w\.bin: no such file/],
    [
      'a shard that is short',
      () => folderOf(manifest([one]), { 'w.bin': new Uint8Array(3) }),
      /needs 4 bytes of weights, but its shards have 3/,
    ],
    [
      'a shard that is long',
      () => folderOf(manifest([one]), { 'w.bin': new Uint8Array(5) }),
      /needs 4 bytes of weights, but its shards have 5/,
    ],
    ['a path with a zero', () => folderOf(manifest([one], ['w\0.bin'])), /outside of its folder/],
    ['a shard twice', () => folderOf(manifest([one], ['w.bin', 'w.bin'])), /names a shard twice/],
    ['a path upwards', () => folderOf(manifest([one], ['../w.bin'])), /outside of its folder/],
    ['an absolute path', () => folderOf(manifest([one], ['/etc/passwd'])), /outside of its folder/],
    ['an address', () => folderOf(manifest([one], ['http://x/w.bin'])), /outside of its folder/],
    ['a name twice', () => folderOf(manifest([one, one]), { 'w.bin': new Uint8Array(8) }), /a: stands twice/],
    [
      'half an element',
      () => folderOf(manifest([{ ...one, shape: [0.5] }]), { 'w.bin': new Uint8Array(2) }),
      /a: has no shape/,
    ],
    [
      'an unknown dtype',
      () => folderOf(manifest([{ ...one, dtype: 'float99' }]), { 'w.bin': new Uint8Array(4) }),
      /a: has the unknown dtype "float99"/,
    ],
    [
      'an unknown quantisation',
      () =>
        folderOf(manifest([{ ...one, quantization: { dtype: 'uint4' } }]), { 'w.bin': new Uint8Array(4) }),
      /a: is quantised in a way/,
    ],
  ])('refuses %s', async (_name, make, message) => {
    const failed = readTfjs(make());
    await expect(failed).rejects.toThrow(UserError);
    await expect(failed).rejects.toThrow(message);
  });

  it('notices a shard that is cut off later', async () => {
    const folder = folderOf(manifest([one]), { 'w.bin': new Uint8Array(4) });
    const { tensors } = await readTfjs(folder);
    truncateSync(join(folder, 'w.bin'), 2);
    await expect(tensors.get('a')?.load()).rejects.toThrow(/w\.bin: was changed/);
  });
});

it('layouts come back as they were, to the bit', async () => {
  const dict = new Map<string, TensorSource>([
    ['conv.weight', randomTensor(random, 'float32', [4, 3, 2, 5])],
    ['fc.weight', randomTensor(random, 'float16', [3, 7])],
    ['bn.weight', randomTensor(random, 'float32', [6])],
    ['bn.num_batches_tracked', hostTensor('int64', [], BigInt64Array.of(123n))],
  ]);
  const { tensors, metadata } = toTfjs(dict, new Map([['a', 'b']]));
  expect(tensors.get('conv.weight')?.shape).toEqual([2, 5, 3, 4]);
  expect(tensors.get('fc.weight')?.shape).toEqual([7, 3]);
  const folder = fresh();
  await writeTfjs(folder, tensors, metadata);
  const found = await readTfjs(folder);
  const back = fromTfjs(
    found.tensors,
    new Map([...found.metadata].map(([key, value]) => [key, String(value)])),
  );
  for (const [name, tensor] of dict) {
    const other = await loadTensor(back.get(name) as TensorSource);
    expect([other.dtype, other.shape]).toEqual([tensor.dtype, tensor.shape]);
    expect(Buffer.from(bytesOf(other)).equals(bytesOf(await loadTensor(tensor))), name).toBe(true);
  }
  const huge = toTfjs(new Map([['n', hostTensor('int64', [], BigInt64Array.of(1n << 40n))]]), new Map());
  await expect(loadTensor(huge.tensors.get('n') as TensorSource)).rejects.toThrow(
    /n: does not fit into the 32 bits/,
  );
});
