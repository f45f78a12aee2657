/** Reader and writer together, and archives spoilt byte by byte that the reader has to refuse. */

import { deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { memorySource } from '../../../src/formats/byte-source.js';
import { ZipReader } from '../../../src/formats/zip/reader.js';
import { ZipWriter } from '../../../src/formats/zip/writer.js';
import { MemoryFile } from '../memory-file.js';

async function archive(entries: Record<string, Uint8Array>, wideFrom?: number): Promise<Buffer> {
  const file = new MemoryFile();
  const zip = new ZipWriter(file, wideFrom);
  for (const [name, content] of Object.entries(entries)) await zip.add(name, content);
  await zip.finish();
  return file.bytes;
}

const open = (bytes: Uint8Array) => ZipReader.open(memorySource('a.zip', bytes));

async function readAll(bytes: Uint8Array): Promise<Record<string, string>> {
  const zip = await open(bytes);
  const found: Record<string, string> = {};
  for (const [name, entry] of zip.entries) found[name] = Buffer.from(await zip.read(entry)).toString();
  return found;
}

/** One entry `a` whose headers say what the test wants. */
function single(
  content: Uint8Array,
  fields: { size?: number; method?: number; crc?: number; flags?: number },
): Buffer {
  const local = Buffer.alloc(30);
  local.write('PK\x03\x04');
  local.writeUInt16LE(fields.flags ?? 0, 6);
  local.writeUInt16LE(fields.method ?? 0, 8);
  local.writeUInt16LE(1, 26);
  const central = Buffer.alloc(46);
  central.write('PK\x01\x02');
  central.writeUInt16LE(fields.flags ?? 0, 8);
  central.writeUInt16LE(fields.method ?? 0, 10);
  central.writeUInt32LE(fields.crc ?? 0, 16);
  central.writeUInt32LE(content.length, 20);
  central.writeUInt32LE(fields.size ?? content.length, 24);
  central.writeUInt16LE(1, 28);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06');
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(47, 12);
  end.writeUInt32LE(31 + content.length, 16);
  return Buffer.concat([local, Buffer.from('a'), content, central, Buffer.from('a'), end]);
}

const CONTENT = {
  'r/data.pkl': Buffer.from('one'),
  'r/ü': Buffer.alloc(0),
  'r/data/0': Buffer.alloc(3000, 'x'),
};

describe('ZipWriter', () => {
  it('writes what the reader reads, payloads at multiples of 64, the same bytes each time', async () => {
    const bytes = await archive(CONTENT);
    expect(await readAll(bytes)).toEqual({ 'r/data.pkl': 'one', 'r/ü': '', 'r/data/0': 'x'.repeat(3000) });
    expect(bytes.indexOf('one') % 64).toBe(0);
    expect(bytes.indexOf('xxx') % 64).toBe(0);
    expect(await archive(CONTENT)).toEqual(bytes);
    expect(await readAll(await archive({}))).toEqual({});
  });

  it('uses ZIP64 for sizes and positions that need it', async () => {
    const bytes = await archive(CONTENT, 100);
    expect(bytes.includes('PK\x06\x06')).toBe(true);
    expect(await readAll(bytes)).toEqual(await readAll(await archive(CONTENT)));
  });

  it('uses ZIP64 for more than 65,534 entries', async () => {
    const file = new MemoryFile();
    const pieces: Buffer[] = [];
    file.write = (async (buffer: Uint8Array, offset: number, length: number) => {
      pieces.push(Buffer.from(buffer.subarray(offset, offset + length)));
      return { bytesWritten: length, buffer };
    }) as never;
    const zip = new ZipWriter(file);
    for (let i = 0; i < 65_535; i++) await zip.add(`${i}`, new Uint8Array(0));
    await zip.finish();
    expect((await open(Buffer.concat(pieces))).entries.size).toBe(65_535);
  });

  it('refuses the same name twice', async () => {
    const zip = new ZipWriter(new MemoryFile());
    await zip.add('a', Buffer.from('1'));
    await expect(zip.add('a', Buffer.from('2'))).rejects.toThrow('written twice');
  });
});

describe('ZipReader', () => {
  it('reads slices, before and after the whole entry has been checked', async () => {
    const content = Buffer.from(Array.from({ length: 1000 }, (_, i) => i % 251));
    for (const bytes of [
      await archive({ a: content }),
      single(deflateRawSync(content), { method: 8, size: 1000, crc: 0x721746a6 }),
    ]) {
      const zip = await open(bytes);
      const entry = [...zip.entries.values()][0];
      for (let round = 0; round < 2; round++) {
        expect(Buffer.from(await zip.read(entry, 300, 20))).toEqual(content.subarray(300, 320));
        expect(Buffer.from(await zip.read(entry, 1000, 0))).toEqual(Buffer.alloc(0));
      }
      expect(Buffer.from(await zip.read(entry))).toEqual(content);
      await expect(zip.read(entry, 990, 11)).rejects.toThrow('has no bytes 990 to 1001');
    }
  });

  it('tolerates bytes behind the archive, not before it', async () => {
    const bytes = await archive(CONTENT);
    expect(Object.keys(await readAll(Buffer.concat([bytes, Buffer.from('PK\x05\x06 junk')])))).toHaveLength(
      3,
    );
    await expect(open(Buffer.concat([Buffer.from('junk'), bytes]))).rejects.toThrow('directory is not where');
  });

  it('says so when the end is missing', async () => {
    const bytes = await archive(CONTENT);
    await expect(open(bytes.subarray(0, bytes.length - 30))).rejects.toThrow(
      'a.zip: the end of the archive is missing: the file is cut off\n  the file is damaged or incomplete',
    );
    await expect(open(Buffer.alloc(0))).rejects.toThrow('cut off');
  });

  it('notices a changed byte, whole or in slices', async () => {
    const bytes = await archive(CONTENT);
    bytes[bytes.indexOf('xxx') + 2999] ^= 1;
    const zip = await open(bytes);
    const entry = zip.entries.get('r/data/0');
    if (entry === undefined) throw new Error('entry');
    await expect(zip.read(entry)).rejects.toThrow('a.zip: r/data/0: checksum is wrong');
    await expect(zip.read(entry, 0, 1)).rejects.toThrow('checksum is wrong');
    await expect(zip.verify()).rejects.toThrow('checksum is wrong');
  });

  it.each([
    ['../a', 'unsafe name'],
    ['a/../../b', 'unsafe name'],
    ['/etc/passwd', 'unsafe name'],
    ['C:/a', 'unsafe name'],
    ['a\\b', 'unsafe name'],
    ['', 'unsafe name'],
  ])('refuses an entry named %j', async (name, message) => {
    await expect(open(await archive({ [name]: Buffer.from('1') }))).rejects.toThrow(message);
  });

  it('refuses two entries of one name', async () => {
    const bytes = await archive({ aa: Buffer.from('1'), ab: Buffer.from('2') });
    const text = bytes.toString('latin1').replaceAll('ab', 'aa');
    await expect(open(Buffer.from(text, 'latin1'))).rejects.toThrow('two entries of the same name');
  });

  it('refuses encryption, unknown methods, absurd ratios and entries that overlap', async () => {
    const content = Buffer.from('hello');
    await expect(open(single(content, { flags: 1 }))).rejects.toThrow('a: is encrypted');
    await expect(open(single(content, { method: 12 }))).rejects.toThrow('compression method 12');
    await expect(open(single(content, { size: 6 }))).rejects.toThrow('claims 6 bytes out of 5');
    const bomb = deflateRawSync(Buffer.alloc(2 ** 20));
    await expect(readAll(single(bomb, { method: 8, size: 2 ** 20 }))).rejects.toThrow(
      'claims 1048576 bytes out of',
    );
    const bytes = await archive({ a: Buffer.from('1'), b: Buffer.from('2') });
    const second = bytes.lastIndexOf('PK\x01\x02');
    bytes.writeUInt32LE(0, second + 42);
    await expect(open(bytes)).rejects.toThrow('overlaps another entry');
  });

  it('stops inflating at the promised size', async () => {
    const bomb = deflateRawSync(Buffer.alloc(50_000_000));
    const zip = await open(single(bomb, { method: 8, size: 1000 }));
    await expect(zip.verify()).rejects.toThrow('longer than promised');
    const short = await open(single(deflateRawSync(Buffer.from('abc')), { method: 8, size: 9 }));
    await expect(short.verify()).rejects.toThrow('has 3 bytes instead of 9');
    const broken = await open(single(Buffer.from([0xff, 0xff, 0xff]), { method: 8, size: 9 }));
    await expect(broken.verify()).rejects.toThrow('cannot be inflated');
  });

  it('refuses a local header that disagrees with the directory', async () => {
    const bytes = await archive({ abc: Buffer.from('1') });
    bytes.write('abd', 30);
    await expect(readAll(bytes)).rejects.toThrow('abc: local header and directory disagree');
  });
});
