import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hostTensor, type LazyTensor, type TensorSource } from '../../src/core/array.js';
import { RandomStream } from '../../src/core/rng.js';
import { memorySource } from '../../src/formats/byte-source.js';
import {
  readTorch,
  readTorchFile,
  verifyTorchFile,
  writeTorch,
  writeTorchFile,
} from '../../src/formats/torch-pth.js';
import {
  type FileDict,
  type FileValue,
  float,
  loadAll,
  numberOf,
  PyFloat,
  PyOpaque,
} from '../../src/formats/value.js';
import { describeValue } from './describe.js';
import { MemoryFile } from './memory-file.js';
import { randomTensor, randomValue } from './random-value.js';
import {
  floats,
  LEGACY_FILE,
  PLAIN_PICKLE,
  STATE_DICT_PICKLE,
  STATE_DICT_STORAGES,
  torchArchive,
} from './vectors.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scrl-pth-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const read = (bytes: Uint8Array, options = {}) => readTorch(memorySource('a.pth', bytes), options);
const loaded = async (bytes: Uint8Array) => (await loadAll(await read(bytes))) as FileDict;

async function written(value: FileValue): Promise<Buffer> {
  const file = new MemoryFile();
  await writeTorch(file, value);
  return file.bytes;
}

/** A pickle of one tensor in storage 0; parts are opcodes. */
function tensorPickle(type: string, count: string, offset: string, size: string, strides: string): Buffer {
  const storage = `(X\x07\0\0\0storagectorch\n${type}\nX\x01\0\0\x000X\x03\0\0\0cpu${count}tQ`;
  return Buffer.from(
    `\x80\x02ctorch._utils\n_rebuild_tensor_v2\n(${storage}${offset}(${size}t(${strides}t\x89NtR.`,
    'latin1',
  );
}

describe('readTorch: the zip container', () => {
  it('reads what PyTorch wrote: views, shared storages, scalars, bfloat16', async () => {
    const dict = await loaded(await torchArchive(STATE_DICT_PICKLE, STATE_DICT_STORAGES));
    expect(dict).toEqual(
      new Map<string, TensorSource>([
        ['conv1.weight', hostTensor('float32', [2, 1, 2, 2], Float32Array.of(0, 1, 2, 3, 4, 5, 6, 7))],
        ['bn1.num_batches_tracked', hostTensor('int64', [], BigInt64Array.of(7n))],
        ['h', hostTensor('bfloat16', [2], Uint16Array.of(0x3fc0, 0xc000))],
        ['t', hostTensor('float32', [4, 2], Float32Array.of(0, 4, 1, 5, 2, 6, 3, 7))],
      ]),
    );
  });

  it('reads a pickle without memo', async () => {
    const storages = [floats(1, 2, 3, 4, 5, 6), Buffer.from('0900000000000000', 'hex')];
    const dict = await loaded(await torchArchive(PLAIN_PICKLE, storages));
    expect(dict.get('w')).toEqual(hostTensor('float32', [2, 3], Float32Array.of(1, 2, 3, 4, 5, 6)));
    expect(dict.get('n')).toEqual(hostTensor('int64', [], BigInt64Array.of(9n)));
  });

  it('reads big-endian files', async () => {
    const storages = STATE_DICT_STORAGES.map((bytes, i) =>
      Buffer.from(bytes)[(['swap32', 'swap64', 'swap16'] as const)[i]](),
    );
    const dict = await loaded(await torchArchive(STATE_DICT_PICKLE, storages, { byteorder: 'big' }));
    expect(dict).toEqual(await loaded(await torchArchive(STATE_DICT_PICKLE, STATE_DICT_STORAGES)));
  });

  it.each([
    ['slice', 'K\x02', 'K\x03', 'K\x01', [2, 3, 4]],
    ['every second', 'K\x01', 'K\x03', 'K\x02', [1, 3, 5]],
    ['expanded', 'K\x05', 'K\x04', 'K\x00', [5, 5, 5, 5]],
    ['transposed', 'K\x00', 'K\x03K\x02', 'K\x01K\x03', [0, 3, 1, 4, 2, 5]],
    ['empty at the end', 'K\x06', 'K\x00', 'K\x01', []],
    ['scalar', 'K\x04', '', '', [4]],
  ])('reads a view: %s', async (_, offset, size, strides, expected) => {
    const pickle = tensorPickle('FloatStorage', 'K\x06', offset, size, strides);
    const tensor = await loadAll(await read(await torchArchive(pickle, [floats(0, 1, 2, 3, 4, 5)])));
    expect([...(tensor as { data: Float32Array }).data]).toEqual(expected);
  });

  it.each([
    ['K\x06', 'K\x05', 'K\x02', 'K\x01', 'reaches 7 elements into a storage of 6'],
    ['K\x06', 'K\x00', 'K\x02K\x02', 'K\x05K\x01', 'reaches 7 elements'],
    ['K\x06', 'J\xff\xff\xff\xff', 'K\x02', 'K\x01', 'offset -1'],
    ['K\x06', 'K\x00', 'J\xff\xff\xff\xff', 'K\x01', 'no natural number'],
    ['K\x06', 'K\x05', 'K\x02', 'J\xff\xff\xff\xff', 'no natural number'],
    ['K\x06', 'K\x00', 'K\x02', '', 'strides []'],
    ['K\x06', 'K\x00', 'J\xff\xff\xff\x7f', 'K\x00', 'far more memory than its size can justify'],
    ['K\x06', 'K\x00', '\x8a\x07\0\0\0\0\0\0\x10\x8a\x07\0\0\0\0\0\0\x10', 'K\x00K\x00', 'far more memory'],
    ['K\x05', 'K\x00', 'K\x02', 'K\x01', 'gives storage 0 20 bytes, but it has 24'],
    ['N', 'K\x00', 'K\x02', 'K\x01', 'in a way that is not known'],
  ])('refuses a tensor outside its storage: %j %j %j %j', async (count, offset, size, strides, message) => {
    const pickle = tensorPickle('FloatStorage', count, offset, size, strides);
    await expect(read(await torchArchive(pickle, [floats(0, 1, 2, 3, 4, 5)]))).rejects.toThrow(message);
  });

  it('keeps tensors of unknown types and unknown objects apart, unless strict', async () => {
    const complex = tensorPickle('ComplexFloatStorage', 'K\x01', 'K\x00', 'K\x01', 'K\x01');
    const file = await torchArchive(complex, [new Uint8Array(8)]);
    expect(await read(file)).toEqual(
      expect.objectContaining({ name: 'torch.Tensor in torch.ComplexFloatStorage' }),
    );
    await expect(read(file, { strict: true })).rejects.toThrow(
      'torch.ComplexFloatStorage: holds an object that is not',
    );
    const lines: string[] = [];
    const log = {
      info: (line: string) => lines.push(line),
      warn: (line: string) => lines.push(line),
      debug() {},
    };
    const namespace = await torchArchive(Buffer.from('cargparse\nNamespace\n)R}b.'), [new Uint8Array(1)]);
    expect(await read(namespace, { log })).toBeInstanceOf(PyOpaque);
    expect(lines).toEqual([
      'a.pth: 1 storages belong to no tensor and are not read',
      'a.pth: not read, objects of argparse.Namespace',
    ]);
  });

  it('does not follow calls within calls without end', async () => {
    const name = 'ctorch._tensor\n_rebuild_from_type_v2\n';
    const pickle = `${`(${name}N`.repeat(20_000)})${'Nt'.repeat(20_000)}`;
    await expect(read(await torchArchive(Buffer.from(`${name}${pickle}R.`)))).rejects.toThrow(
      'rebuilds in circles',
    );
  });

  it('does not print what doubles at every level', async () => {
    let pickle = ']q\0';
    for (let i = 0; i < 60; i++)
      pickle += `0](h${String.fromCharCode(i)}h${String.fromCharCode(i)}eq${String.fromCharCode(i + 1)}`;
    const device = Buffer.from(`${pickle}0ctorch\ndevice\nh\x3c\x85R.`, 'latin1');
    expect(await read(await torchArchive(device))).toBeInstanceOf(PyOpaque);
    const legacy = Buffer.concat([LEGACY_FILE.subarray(0, 15), Buffer.from(`${pickle}.`, 'latin1')]);
    await expect(read(legacy)).rejects.toThrow('another legacy protocol than 1001');
  });

  it.each([
    [{ version: undefined }, 'holds no x/version'],
    [{ version: '99' }, 'archive version that is not known (found "99")'],
    [{ byteorder: 'middle' }, 'byte order "middle"'],
    [{ 'constants.pkl': '' }, 'is a TorchScript programme'],
    [{ 'code/a.py': '' }, 'is a TorchScript programme'],
  ])('refuses %j', async (others, message) => {
    await expect(read(await torchArchive(Buffer.from('N.'), [], others))).rejects.toThrow(message);
  });

  it('refuses missing storages and pickles', async () => {
    await expect(
      read(await torchArchive(STATE_DICT_PICKLE, STATE_DICT_STORAGES.slice(0, 2))),
    ).rejects.toThrow('refers to storage 2, which the archive does not hold');
    const bytes = await torchArchive(Buffer.from('N.'));
    const renamed = Buffer.from(bytes.toString('latin1').replaceAll('data.pkl', 'data.txt'), 'latin1');
    await expect(read(renamed)).rejects.toThrow('is a zip archive, but not one of PyTorch');
  });
});

describe('readTorch: the container before 1.6', () => {
  it('reads what PyTorch wrote', async () => {
    expect(await loaded(LEGACY_FILE)).toEqual(
      new Map([['w', hostTensor('float32', [2], Float32Array.of(1, 2))]]),
    );
  });

  it('refuses it cut off anywhere', async () => {
    for (let length = 0; length < LEGACY_FILE.length; length++) {
      await expect(read(LEGACY_FILE.subarray(0, length))).rejects.toThrow(/^a\.pth: /);
    }
  });

  it('refuses a count that disagrees', async () => {
    const bytes = Buffer.from(LEGACY_FILE);
    bytes[bytes.length - 16] = 1;
    await expect(read(bytes)).rejects.toThrow('has 1 elements instead of 2');
  });
});

describe('readTorch: something else', () => {
  it.each([
    ['', 'is empty'],
    ['<!DOCTYPE html>', 'it is a web page'],
    ['{"error": 404}', 'it is JSON'],
    ['\x90\0\0\0\0\0\0\0{"a"', 'safetensors'],
    ['\x80\x04\x95', 'but a plain pickle'],
    ['version https://git-lfs.github.com', 'Git LFS pointer'],
    [`${'\0'.repeat(257)}ustar`, 'tar archive'],
    ['hello', 'first bytes are unknown'],
  ])('%j', async (content, message) => {
    await expect(read(Buffer.from(content, 'latin1'))).rejects.toThrow(message);
  });

  it('names missing files and folders', async () => {
    await expect(readTorchFile(join(folder, 'none.pth'))).rejects.toThrow(
      'none.pth: no such file\n  check the path',
    );
    await expect(readTorchFile(folder)).rejects.toThrow('is not a file');
  });
});

describe('writeTorch', () => {
  it('round-trips random values of every kind, to the bit', async () => {
    const random = new RandomStream(11, 'pth');
    for (let i = 0; i < 150; i++) {
      const value = randomValue(random);
      expect(await describeValue(await read(await written(value)))).toEqual(await describeValue(value));
    }
  });

  it('keeps ints and floats apart', async () => {
    const found = await loaded(
      await written(
        new Map<string, FileValue>([
          ['i', 1],
          ['f', float(1)],
          ['g', 0.5],
        ]),
      ),
    );
    expect(found.get('i')).toBe(1);
    expect(found.get('f')).toEqual(new PyFloat(1));
    expect(numberOf(found.get('g'))).toBe(0.5);
    expect(numberOf(found.get('i'))).toBe(1);
    expect(numberOf('1')).toBeUndefined();
  });

  it('gives equal files for equal values, data at multiples of 64', async () => {
    const value = new Map([['w', hostTensor('float32', [2], Float32Array.of(1, 2))]]);
    const bytes = await written(value);
    expect(await written(value)).toEqual(bytes);
    expect(bytes.indexOf(floats(1, 2)) % 64).toBe(0);
  });

  it('writes a tensor that occurs twice once, and reads it as one', async () => {
    const tensor = hostTensor('float32', [2], Float32Array.of(1, 2));
    const bytes = await written([tensor, tensor]);
    expect(bytes.includes('data/1')).toBe(false);
    expect(await describeValue(await read(bytes))).toEqual(await describeValue([tensor, tensor]));
  });

  it('loads a lazy tensor only when the one before it has been written', async () => {
    const events: string[] = [];
    const tensors = Array.from(
      { length: 3 },
      (_, i): LazyTensor => ({
        dtype: 'uint8',
        shape: [1],
        async load() {
          events.push(`load ${i}`);
          return hostTensor('uint8', [1], Uint8Array.of(100 + i));
        },
      }),
    );
    const file = new MemoryFile();
    const recording = {
      write: (async (bytes: Uint8Array, ...rest: never[]) => {
        if (bytes.length === 1) events.push(`write ${bytes[0]}`);
        return (file.write as (...args: unknown[]) => unknown)(bytes, ...rest);
      }) as never,
    };
    await writeTorch(recording, tensors);
    expect(events).toEqual(['load 0', 'write 100', 'load 1', 'write 101', 'load 2', 'write 102']);
    const found = await loadAll(await read(file.bytes));
    expect(found).toEqual([100, 101, 102].map((i) => hostTensor('uint8', [1], Uint8Array.of(i))));
  });

  it('refuses what cannot be written, and says where it is', async () => {
    const at = (value: unknown) => written(new Map([['a', [null, value as FileValue]]]));
    await expect(at(new PyOpaque('m.C'))).rejects.toThrow(
      'a.1: cannot be saved in a .pth file: it is an object of m.C',
    );
    await expect(at(undefined)).rejects.toThrow(
      'a.1: cannot be saved in a .pth file: its kind is not known (undefined)',
    );
    await expect(at(1e300)).rejects.toThrow('1e+300 may be an int or a float; use a bigint or float()');
    await expect(at('\ud800')).rejects.toThrow('not valid Unicode');
    const loop: FileValue[] = [];
    loop.push(loop);
    await expect(written(loop)).rejects.toThrow('nested too deep, or contains itself');
    const liar: LazyTensor = {
      dtype: 'int8',
      shape: [2],
      load: async () => hostTensor('int8', [], Int8Array.of(1)),
    };
    await expect(written(liar)).rejects.toThrow('tensor announced as int8 [2] turned out to be int8 []');
  });
});

describe('files', () => {
  it('are written whole or not at all', async () => {
    const path = join(folder, 'whole.pth');
    await writeTorchFile(path, 1);
    const broken: LazyTensor = {
      dtype: 'int8',
      shape: [],
      load: () => Promise.reject(new Error('engine gone')),
    };
    await expect(writeTorchFile(path, broken)).rejects.toThrow('engine gone');
    expect(await readTorchFile(path)).toBe(1);
  });

  it('are verified to the last byte, also against what was meant', async () => {
    const path = join(folder, 'verify.pth');
    const tensor = randomTensor(new RandomStream(1, 'verify'), 'float32', [100]);
    const file = await open(path, 'w');
    const meant = await writeTorch(file, [tensor]);
    await file.close();
    await verifyTorchFile(path, meant);
    const other = new MemoryFile();
    const different = await writeTorch(other, [
      randomTensor(new RandomStream(2, 'verify'), 'float32', [100]),
    ]);
    await expect(verifyTorchFile(path, different)).rejects.toThrow(
      'archive/data/0: does not hold what was written',
    );
    const bytes = await readFile(path);
    bytes[bytes.indexOf(new Uint8Array(tensor.data.buffer))] ^= 1;
    await writeFile(path, bytes);
    await expect(verifyTorchFile(path)).rejects.toThrow('archive/data/0: checksum is wrong');
  });

  it('are not mixed up when they are replaced between reading and loading', async () => {
    const path = join(folder, 'replaced.pth');
    await writeTorchFile(path, hostTensor('int8', [1], Int8Array.of(1)));
    const first = (await readTorchFile(path)) as LazyTensor;
    await writeTorchFile(path, hostTensor('int8', [3], Int8Array.of(1, 2, 3)));
    await expect(first.load()).rejects.toThrow('was changed or replaced while it was being read');
  });
});
