/**
 * NumPy's `.npz`: a ZIP file of arrays. Arrays of numbers become tensors, arrays of text become texts; Python objects are
 * refused, because reading them could run code.
 */

import {
  bytesOf,
  elementCount,
  elementSize,
  gatherStrided,
  type HostTensor,
  type LazyTensor,
  tensorFromBytes,
} from '../core/array.js';
import { UserError } from '../core/errors.js';
import { HOST_IS_LITTLE_ENDIAN, swapBytes } from './byte-order.js';
import type { WritableFile } from './byte-sink.js';
import { type ByteSource, damaged } from './byte-source.js';
import { LONGEST_HEADER, MalformedNpy, type NpyHeader, npyHeader, parseNpyHeader } from './npy.js';
import { byteLength, littleEndianPieces, type WritableTensor } from './streamed-tensor.js';
import { LARGEST_DEFLATE_RATIO, type ZipEntry } from './zip/directory.js';
import { ZipReader } from './zip/reader.js';
import { ZipWriter } from './zip/writer.js';

/** An array of texts. */
export interface NpyText {
  readonly shape: readonly number[];
  load(): Promise<string[]>;
}

export interface NpzFile {
  readonly entries: Map<string, LazyTensor | NpyText>;
  /** Arrays of element types that are not read: name and type. */
  readonly unsupported: Map<string, string>;
}

const SUFFIX = '.npy';
const MOST_EMPTY = 1_000_000;
/** NumPy keeps texts as UTF-32. */
const CHARACTER = 4;

/** @throws UserError when the file is not sound; elements are read by `load()` */
export async function readNpz(source: ByteSource): Promise<NpzFile> {
  // Arrays, unlike weights, may be all zeros.
  const zip = await ZipReader.open(source, LARGEST_DEFLATE_RATIO);
  const entries = new Map<string, LazyTensor | NpyText>();
  const unsupported = new Map<string, string>();
  for (const [member, entry] of zip.entries) {
    if (!member.endsWith(SUFFIX)) throw damaged(source.name, 'is no NumPy array', member);
    const name = member.slice(0, -SUFFIX.length);
    const header = await readHeader(zip, entry, member);
    const { element, shape } = header;
    const read = () => zip.read(entry, header.start);
    if (element === undefined) unsupported.set(name, header.descr);
    else {
      const size = 'dtype' in element ? elementSize(element.dtype) : CHARACTER * element.characters;
      const length = elementCount(shape) * size;
      // Texts of no characters take no bytes, so nothing else bounds how many there are.
      if (size === 0 && elementCount(shape) > MOST_EMPTY)
        throw damaged(source.name, 'holds too many empty texts', member);
      if (header.start + length !== entry.size) {
        throw damaged(source.name, `has ${entry.size - header.start} bytes instead of ${length}`, member);
      }
      if ('dtype' in element) {
        const load = async () => decodeTensor(await read(), header, element.dtype);
        entries.set(name, { dtype: element.dtype, shape, load });
      } else {
        const load = async () =>
          decodeTexts(await read(), header, element.characters, () =>
            damaged(source.name, 'holds a text that is not Unicode', member),
          );
        entries.set(name, { shape, load });
      }
    }
  }
  return { entries, unsupported };
}

async function readHeader(zip: ZipReader, entry: ZipEntry, member: string): Promise<NpyHeader> {
  const bytes = await zip.peek(entry, Math.min(entry.size, LONGEST_HEADER));
  try {
    return parseNpyHeader(bytes);
  } catch (error) {
    if (error instanceof MalformedNpy) throw damaged(zip.source.name, error.message, member);
    throw error;
  }
}

function decodeTensor(
  bytes: Uint8Array<ArrayBuffer>,
  header: NpyHeader,
  dtype: HostTensor['dtype'],
): HostTensor {
  const { shape, columnMajor, littleEndian } = header;
  const size = elementSize(dtype);
  if (littleEndian !== HOST_IS_LITTLE_ENDIAN) swapBytes(bytes, size);
  const tensor = tensorFromBytes(dtype, shape, bytes);
  if (!columnMajor) return tensor;
  return tensorFromBytes(
    dtype,
    shape,
    gatherStrided(bytesOf(tensor), size, shape, columnMajorStrides(shape)),
  );
}

function columnMajorStrides(shape: readonly number[]): number[] {
  return shape.map((_, axis) => elementCount(shape.slice(0, axis)));
}

/** Texts are padded with zeros. */
function decodeTexts(
  bytes: Uint8Array,
  { shape, littleEndian, columnMajor }: NpyHeader,
  characters: number,
  malformed: () => UserError,
): string[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const texts = Array.from({ length: elementCount(shape) }, (_, i) => {
    const codes = Array.from({ length: characters }, (_c, c) =>
      view.getUint32(CHARACTER * (i * characters + c), littleEndian),
    );
    const end = codes.findLastIndex((code) => code !== 0) + 1;
    if (codes.some((code) => code > 0x10ffff)) throw malformed();
    return codes
      .slice(0, end)
      .map((code) => String.fromCodePoint(code))
      .join('');
  });
  if (!columnMajor || shape.length < 2) return texts;
  const index = Uint32Array.from(texts, (_, i) => i);
  const bytesOfIndex = new Uint8Array(index.buffer);
  const order = new Uint32Array(gatherStrided(bytesOfIndex, 4, shape, columnMajorStrides(shape)).buffer);
  return Array.from(order, (i) => texts[i]);
}

/** Elements, or a list of texts. */
export type NpzEntry = WritableTensor | readonly string[];

/**
 * Writes arrays, one after the other. Equal contents give equal files.
 *
 * @throws UserError for bfloat16, which NumPy does not have
 */
export async function writeNpz(file: WritableFile, entries: ReadonlyMap<string, NpzEntry>): Promise<void> {
  const zip = new ZipWriter(file);
  for (const [name, entry] of entries) {
    checkName(name);
    const { element, shape, size, pieces } = isTexts(entry) ? encodeTexts(entry) : describe(entry);
    const header = npyHeader(element, shape);
    if (header === undefined) {
      throw new UserError('NumPy has no bfloat16', {
        key: name,
        remedy: 'convert it to float32 (--dtype float32)',
      });
    }
    await zip.addPieces(`${name}${SUFFIX}`, header.length + size, behind(header, pieces));
  }
  await zip.finish();
}

function isTexts(entry: NpzEntry): entry is readonly string[] {
  return Array.isArray(entry);
}

function describe(tensor: WritableTensor) {
  const { dtype, shape } = tensor;
  return { element: { dtype }, shape, size: byteLength(tensor), pieces: littleEndianPieces(tensor) };
}

/** The names that readers of archives take. */
function checkName(name: string): void {
  if (!/^\/|^[A-Za-z]:|\\|\0/.test(name) && !name.split('/').includes('..')) return;
  throw new UserError('is no name for an array in a .npz file', {
    key: name,
    remedy: 'use a name without .., backslashes and a slash at its start',
  });
}

/** @throws UserError for a text that NumPy would give back shorter */
function encodeTexts(texts: readonly string[]) {
  const cut = texts.find((text) => text.endsWith('\0'));
  if (cut !== undefined)
    throw new UserError('ends in a zero character, which NumPy would drop', { value: cut });
  const codes = texts.map((text) => Array.from(text, (character) => character.codePointAt(0) ?? 0));
  const characters = Math.max(1, ...codes.map(({ length }) => length));
  const bytes = Buffer.alloc(texts.length * characters * CHARACTER);
  codes.forEach((row, i) => {
    for (const [c, code] of row.entries()) bytes.writeUInt32LE(code, CHARACTER * (i * characters + c));
  });
  return { element: { characters }, shape: [texts.length], size: bytes.length, pieces: [bytes] };
}

async function* behind(
  header: Uint8Array,
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  yield header;
  yield* pieces;
}
