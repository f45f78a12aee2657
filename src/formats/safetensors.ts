/**
 * The safetensors format: a JSON header that says where each tensor is, then the tensors. No code can hide in it.
 *
 * Stricter than JSON: a name that occurs twice, a gap or an overlap between tensors and bytes that belong to none are
 * errors, because readers that disagree about them would see different weights. Tensors are read from the disk one by one.
 */

import { type DType, elementCount, elementSize, type LazyTensor, tensorFromBytes } from '../core/array.js';
import { UserError } from '../core/errors.js';
import { HOST_IS_LITTLE_ENDIAN, swapBytes } from './byte-order.js';
import { ByteSink, type WritableFile } from './byte-sink.js';
import { type ByteSource, damaged } from './byte-source.js';
import { duplicateKey } from './json-keys.js';
import { byteLength, littleEndianPieces, type WritableTensor } from './streamed-tensor.js';

export interface SafetensorsFile {
  readonly tensors: Map<string, LazyTensor>;
  readonly metadata: Map<string, string>;
  /** Tensors of element types that are not read: name and type. */
  readonly unsupported: Map<string, string>;
}

const METADATA = '__metadata__';
const LARGEST_HEADER = 100_000_000;
/** The data begins at a multiple of this. */
const ALIGNMENT = 8;

const CODES: Record<DType, string> = {
  float64: 'F64',
  float32: 'F32',
  float16: 'F16',
  bfloat16: 'BF16',
  int64: 'I64',
  int32: 'I32',
  int16: 'I16',
  int8: 'I8',
  uint8: 'U8',
  bool: 'BOOL',
};
const DTYPE_OF_CODE = new Map(Object.entries(CODES).map(([dtype, code]) => [code, dtype as DType]));
/** Bits per element of the types that we have no arrays for. */
const OTHER_BITS = new Map([
  ['U64', 64],
  ['U32', 32],
  ['U16', 16],
  ['C64', 64],
  ['F8_E4M3', 8],
  ['F8_E5M2', 8],
  ['F8_E8M0', 8],
  ['F8_E4M3FNUZ', 8],
  ['F8_E5M2FNUZ', 8],
  ['F6_E2M3', 6],
  ['F6_E3M2', 6],
  ['F4', 4],
]);

/** @throws UserError when the header is not sound; elements are read by `load()` */
export async function readSafetensors(source: ByteSource): Promise<SafetensorsFile> {
  const { header, start } = await readHeader(source);
  const tensors = new Map<string, LazyTensor>();
  const unsupported = new Map<string, string>();
  let metadata = new Map<string, string>();
  const ranges: { name: string; begin: number; end: number }[] = [];
  for (const [name, entry] of Object.entries(header)) {
    if (name === METADATA) {
      metadata = readMetadata(source, entry);
      continue;
    }
    const { code, shape, begin, end } = readEntry(source, name, entry);
    ranges.push({ name, begin, end });
    const dtype = DTYPE_OF_CODE.get(code);
    if (dtype === undefined) unsupported.set(name, code);
    else tensors.set(name, tensorAt(source, dtype, shape, start + begin));
  }
  requireCover(source, ranges, source.size - start);
  return { tensors, metadata, unsupported };
}

async function readHeader(source: ByteSource): Promise<{ header: Record<string, unknown>; start: number }> {
  if (source.size < 8) throw damaged(source.name, 'is too short for a safetensors file');
  const length = await source.use(async (read) =>
    Number(new DataView((await read(0, 8)).buffer).getBigUint64(0, true)),
  );
  if (length > LARGEST_HEADER)
    throw damaged(source.name, `has a header of ${length} bytes; ${LARGEST_HEADER} is the limit`);
  if (8 + length > source.size) throw damaged(source.name, `is cut off inside its header of ${length} bytes`);
  const bytes = await source.use((read) => read(8, length));
  let text: string;
  let header: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    header = JSON.parse(text);
  } catch (error) {
    throw damaged(
      source.name,
      `has a header that is no JSON (${error instanceof Error ? error.message : error})`,
    );
  }
  if (!isObject(header)) throw damaged(source.name, 'has a header that is no JSON object');
  const twice = duplicateKey(text);
  if (twice !== undefined) throw damaged(source.name, 'stands twice in the header', twice);
  return { header, start: 8 + length };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function readMetadata(source: ByteSource, entry: unknown): Map<string, string> {
  const texts = isObject(entry) ? Object.entries(entry) : [];
  if (!isObject(entry) || texts.some(([, text]) => typeof text !== 'string')) {
    throw damaged(source.name, 'is no object of texts', METADATA);
  }
  return new Map(texts as [string, string][]);
}

function readEntry(source: ByteSource, name: string, entry: unknown) {
  const fail = (problem: string) => damaged(source.name, problem, name);
  if (!isObject(entry)) throw fail('is described by no object');
  const { dtype: code, shape, data_offsets: offsets, ...rest } = entry;
  const unknown = Object.keys(rest)[0];
  if (unknown !== undefined) throw fail(`has the unknown field ${JSON.stringify(unknown)}`);
  if (typeof code !== 'string') throw fail('has no dtype');
  if (!isNaturals(shape)) throw fail('has no shape of natural numbers');
  if (!isNaturals(offsets) || offsets.length !== 2) throw fail('has no data_offsets of two natural numbers');
  const [begin, end] = offsets;
  const dtype = DTYPE_OF_CODE.get(code);
  const bits = dtype === undefined ? OTHER_BITS.get(code) : 8 * elementSize(dtype);
  if (bits === undefined) throw fail(`has the unknown dtype ${JSON.stringify(code)}`);
  // Whatever the order of the sides: none beside a 0 can make the product too large.
  const count = shape.includes(0) ? 0 : elementCount(shape);
  if (!Number.isSafeInteger(count) || (end - begin) * 8 !== count * bits) {
    throw fail(`has ${end - begin} bytes, which does not fit ${code} [${shape.join(', ')}]`);
  }
  return { code, shape, begin, end };
}

function isNaturals(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);
}

/** Every byte of the data belongs to exactly one tensor. */
function requireCover(
  source: ByteSource,
  ranges: { name: string; begin: number; end: number }[],
  size: number,
): void {
  let position = 0;
  for (const { name, begin, end } of ranges.sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== position) {
      throw damaged(
        source.name,
        begin < position ? 'overlaps another tensor' : 'leaves a gap before it',
        name,
      );
    }
    position = end;
  }
  if (position > size) throw damaged(source.name, `is cut off: ${size} bytes of data instead of ${position}`);
  if (position < size) throw damaged(source.name, `holds ${size - position} bytes that belong to no tensor`);
}

function tensorAt(source: ByteSource, dtype: DType, shape: readonly number[], position: number): LazyTensor {
  return {
    dtype,
    shape,
    async load() {
      const bytes = await source.use((read) => read(position, byteLength({ dtype, shape })));
      if (!HOST_IS_LITTLE_ENDIAN) swapBytes(bytes, elementSize(dtype));
      return tensorFromBytes(dtype, shape, bytes);
    },
  };
}

/**
 * Writes tensors by decreasing element size, then by name, as the format's own writer does: so all are aligned. One tensor
 * is in memory at a time. Equal contents give equal files.
 *
 * @throws UserError for a tensor that is called `__metadata__`, and for a header larger than the format allows
 */
export async function writeSafetensors(
  file: WritableFile,
  tensors: ReadonlyMap<string, WritableTensor>,
  metadata: ReadonlyMap<string, string> = new Map(),
): Promise<void> {
  if (tensors.has(METADATA)) {
    throw new UserError('is a name that safetensors keeps for itself', {
      key: METADATA,
      remedy: 'rename the tensor',
    });
  }
  const ordered = [...tensors].sort(
    ([a, { dtype: typeA }], [b, { dtype: typeB }]) =>
      elementSize(typeB) - elementSize(typeA) || (a < b ? -1 : a > b ? 1 : 0),
  );
  // Without a prototype: a tensor may be called as it likes.
  const header: Record<string, unknown> = Object.create(null);
  if (metadata.size > 0) header[METADATA] = Object.fromEntries(metadata);
  let position = 0;
  for (const [name, tensor] of ordered) {
    const end = position + byteLength(tensor);
    header[name] = { dtype: CODES[tensor.dtype], shape: tensor.shape, data_offsets: [position, end] };
    position = end;
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Math.ceil(text.length / ALIGNMENT) * ALIGNMENT;
  if (length > LARGEST_HEADER) {
    throw new UserError(`names and metadata take ${length} bytes; safetensors allows ${LARGEST_HEADER}`, {
      remedy: 'write another format, such as .npz',
    });
  }
  const head = Buffer.alloc(8 + length, ' ');
  head.writeBigUInt64LE(BigInt(length));
  text.copy(head, 8);
  const sink = new ByteSink(file);
  await sink.write(head);
  for (const [, tensor] of ordered)
    for await (const piece of littleEndianPieces(tensor)) await sink.write(piece);
}
