import { describe, expect, it } from 'vitest';
import { bytesOf, DTYPES, hostTensor, loadTensor } from '../../src/core/array.js';
import { UserError } from '../../src/core/errors.js';
import { RandomStream } from '../../src/core/rng.js';
import { memorySource } from '../../src/formats/byte-source.js';
import { type NpyText, readNpz, writeNpz } from '../../src/formats/npz.js';
import type { WritableTensor } from '../../src/formats/streamed-tensor.js';
import { ZipWriter } from '../../src/formats/zip/writer.js';
import { MemoryFile } from './memory-file.js';
import { randomTensor } from './random-value.js';

const read = (bytes: Uint8Array) => readNpz(memorySource('x.npz', bytes));
async function written(entries: ReadonlyMap<string, WritableTensor | readonly string[]>): Promise<Buffer> {
  const file = new MemoryFile();
  await writeNpz(file, entries);
  return file.bytes;
}

/** An archive of one array: header as Python writes it, then the elements. */
async function archive(dict: string, data: Uint8Array, version = 1, name = 'a.npy'): Promise<Buffer> {
  const text = Buffer.from(`${dict}\n`, version === 3 ? 'utf8' : 'latin1');
  const length = Buffer.alloc(version === 1 ? 2 : 4);
  if (version === 1) length.writeUInt16LE(text.length);
  else length.writeUInt32LE(text.length);
  const member = Buffer.concat([
    Buffer.from('\x93NUMPY', 'latin1'),
    Buffer.from([version, 0]),
    length,
    text,
    data,
  ]);
  const file = new MemoryFile();
  const zip = new ZipWriter(file);
  await zip.add(name, member);
  await zip.finish();
  return file.bytes;
}
const dict = (descr: string, shape: string, fortran = 'False') =>
  `{'descr': ${descr}, 'fortran_order': ${fortran}, 'shape': ${shape}, }`;

async function tensorOf(bytes: Uint8Array, name = 'a') {
  const entry = (await read(bytes)).entries.get(name);
  if (entry === undefined || !('dtype' in entry)) throw new Error('no tensor');
  return loadTensor(entry);
}

describe('round trips', () => {
  it('keep every bit of every type that NumPy has', async () => {
    const random = new RandomStream(1, 'npz');
    const tensors = new Map(
      DTYPES.filter((dtype) => dtype !== 'bfloat16').flatMap((dtype) =>
        [[], [0], [3], [2, 0, 4], [2, 3, 1]].map(
          (shape) => [`${dtype} ${shape}`, randomTensor(random, dtype, shape)] as const,
        ),
      ),
    );
    const bytes = await written(tensors);
    for (const [name, tensor] of tensors) {
      const found = await tensorOf(bytes, name);
      expect([found.dtype, found.shape]).toEqual([tensor.dtype, tensor.shape]);
      expect(Buffer.from(bytesOf(found)).equals(bytesOf(tensor)), name).toBe(true);
    }
  });

  it('keep texts, beyond the basic plane too', async () => {
    const texts = ['', 'a.jpg', 'größe/猫.png', '😀'];
    const entry = (await read(await written(new Map([['files', texts]])))).entries.get('files') as NpyText;
    expect(entry.shape).toEqual([4]);
    expect(await entry.load()).toEqual(texts);
  });

  it('take tensors that arrive in pieces; the checksum is right', async () => {
    const pieces = (async function* () {
      yield Uint8Array.of(1, 2);
      yield Uint8Array.of(3);
    })();
    const bytes = await written(new Map([['t', { dtype: 'uint8', shape: [3], pieces } as const]]));
    expect(await tensorOf(bytes, 't')).toEqual(hostTensor('uint8', [3], Uint8Array.of(1, 2, 3)));
  });

  it('do not know bfloat16', async () => {
    const entries = new Map([['w', hostTensor('bfloat16', [1], Uint16Array.of(1))]]);
    await expect(written(entries)).rejects.toThrow(/w: NumPy has no bfloat16\n.*--dtype float32/);
  });
});

describe('what NumPy writes', () => {
  it.each([1, 2, 3])('version %d of the header', async (version) => {
    const bytes = await archive(dict("'<i2'", '(2,)'), Buffer.from('01000200', 'hex'), version);
    expect(await tensorOf(bytes)).toEqual(hostTensor('int16', [2], Int16Array.of(1, 2)));
  });

  it('big-endian, column-major, scalars, bools', async () => {
    expect(await tensorOf(await archive(dict("'>i2'", '(2,)'), Buffer.from('00010002', 'hex')))).toEqual(
      hostTensor('int16', [2], Int16Array.of(1, 2)),
    );
    const columns = await archive(dict("'|u1'", '(2, 3)', 'True'), Uint8Array.of(1, 4, 2, 5, 3, 6));
    expect(await tensorOf(columns)).toEqual(hostTensor('uint8', [2, 3], Uint8Array.of(1, 2, 3, 4, 5, 6)));
    expect(await tensorOf(await archive(dict("'|b1'", '()'), Uint8Array.of(1)))).toEqual(
      hostTensor('bool', [], Uint8Array.of(1)),
    );
  });

  it('big-endian texts', async () => {
    const bytes = await archive(
      dict("'>U2'", '(2,)'),
      Buffer.from('00000061000000620000006300000000', 'hex'),
    );
    const entry = (await read(bytes)).entries.get('a') as NpyText;
    expect(await entry.load()).toEqual(['ab', 'c']);
  });

  it('types without arrays here are listed', async () => {
    for (const [descr, type] of [
      ["'<c8'", '<c8'],
      ["'<M8[ns]'", '<M8[ns]'],
      ["[('x', '<f4')]", '[(x, <f4)]'],
    ]) {
      const { entries, unsupported } = await read(await archive(dict(descr, '(1,)'), new Uint8Array(8)));
      expect([entries.size, ...unsupported]).toEqual([0, ['a', type]]);
    }
  });
});

describe('odd but sound', () => {
  it('arrays of zeros compress beyond the ratio that weights reach', async () => {
    const { deflateRawSync, crc32 } = await import('node:zlib');
    const dictionary = dict("'<f8'", '(1000000,)');
    const stored = await archive(dictionary, new Uint8Array(8_000_000));
    const start = stored.indexOf(Buffer.from('\x93NUMPY', 'latin1'));
    const content = stored.subarray(start, start + 10 + dictionary.length + 1 + 8_000_000);
    const packed = deflateRawSync(content);
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt16LE(8, 4);
    fields.writeUInt32LE(crc32(content), 10);
    fields.writeUInt32LE(packed.length, 14);
    fields.writeUInt32LE(content.length, 18);
    fields.writeUInt16LE(5, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), fields, Buffer.from('a.npy'), packed]);
    const directory = Buffer.concat([
      Buffer.from('PK\x01\x02\x14\0'),
      fields,
      Buffer.alloc(14),
      Buffer.from('a.npy'),
    ]);
    const end = Buffer.alloc(22);
    end.write('PK\x05\x06', 'latin1');
    end.writeUInt16LE(1, 8);
    end.writeUInt16LE(1, 10);
    end.writeUInt32LE(directory.length, 12);
    end.writeUInt32LE(local.length, 16);
    const tensor = await tensorOf(Buffer.concat([local, directory, end]));
    expect([tensor.shape, tensor.data.every((value) => Number(value) === 0)]).toEqual([[1_000_000], true]);
  });

  it('a text of any length', async () => {
    const text = 'x'.repeat(200_000);
    const entry = (await read(await written(new Map([['t', [text]]])))).entries.get('t') as NpyText;
    expect((await entry.load())[0] === text).toBe(true);
  });

  it('what would not come back is not written', async () => {
    await expect(written(new Map([['t', ['a\0']]]))).rejects.toThrow(/zero character/);
    await expect(written(new Map([['../t', ['a']]]))).rejects.toThrow(/\.\.\/t: is no name for an array/);
  });
});

describe('files that are not sound', () => {
  it('leaves Python objects unread, beside arrays that are read', async () => {
    const { entries, unsupported } = await read(await archive(dict("'|O'", '(1,)'), new Uint8Array(8)));
    expect([...entries.keys()]).toEqual([]);
    expect([...unsupported]).toEqual([['a', '|O']]);
  });

  it('refuses a shape of many blanks at once', async () => {
    const began = process.cpuUsage();
    const blanks = await archive(dict("'<f4'", `(1${' '.repeat(60_000)}x)`), new Uint8Array(4));
    await expect(read(blanks)).rejects.toThrow('shape that cannot be read');
    expect(process.cpuUsage(began).user).toBeLessThan(5e6);
  });

  it.each<[string, () => Promise<Uint8Array>, RegExp]>([
    [
      'too few elements',
      () => archive(dict("'<f4'", '(3,)'), new Uint8Array(8)),
      /a\.npy: has 8 bytes instead of 12/,
    ],
    [
      'a product beyond numbers',
      () => archive(dict("'<f4'", '(9007199254740991, 9007199254740991)'), new Uint8Array(8)),
      /a\.npy: has 8 bytes instead of/,
    ],
    [
      'code in the header',
      () =>
        archive("{'descr': __import__('os'), 'fortran_order': False, 'shape': (1,), }", new Uint8Array(8)),
      /header that cannot be read/,
    ],
    [
      'no shape',
      () => archive("{'descr': '<f4', 'fortran_order': False, }", new Uint8Array(4)),
      /header that cannot be read/,
    ],
    [
      'a shape of texts',
      () => archive(dict("'<f4'", "('a',)"), new Uint8Array(4)),
      /shape that cannot be read/,
    ],
    [
      'billions of empty texts',
      () => archive(dict("'<U0'", '(5000000000,)'), new Uint8Array(0)),
      /too many empty texts/,
    ],
    [
      'a field twice',
      () => archive("{'descr': '<f4', 'descr': '<f4', 'shape': (1,), }", new Uint8Array(4)),
      /names descr twice/,
    ],
    ['an unknown version', () => archive(dict("'<f4'", '(1,)'), new Uint8Array(4), 4), /version 4/],
    [
      'another member',
      () => archive('x', new Uint8Array(0), 1, 'readme.txt'),
      /readme\.txt: is no NumPy array/,
    ],
  ])('%s', async (_name, make, message) => {
    const failed = read(await make());
    await expect(failed).rejects.toThrow(UserError);
    await expect(failed).rejects.toThrow(/^x\.npz: /);
    await expect(failed).rejects.toThrow(message);
  });

  it('a text that is not Unicode', async () => {
    const bytes = await archive(dict("'<U1'", '(1,)'), Buffer.from('ffffff00', 'hex'));
    const entry = (await read(bytes)).entries.get('a') as NpyText;
    await expect(entry.load()).rejects.toThrow(/^x\.npz: a\.npy: holds a text that is not Unicode/);
  });
});
