/**
 * Writes a `.pth` file that `torch.load(path, weights_only=True)` reads: the zip container, pickle protocol 2.
 *
 * Shapes and types are known before elements are, so the pickle is written first and the tensors follow one by one: only
 * one lazily loaded tensor is in memory at a time. A tensor object that occurs twice is written once and stays shared. All
 * tensors are contiguous and on the CPU; dicts are plain dicts. Equal values give equal files.
 */

import { bytesOf, elementCount, loadTensor, rowMajorStrides, type TensorSource } from '../../core/array.js';
import { HOST_IS_LITTLE_ENDIAN } from '../byte-order.js';
import type { WritableFile } from '../byte-sink.js';
import { writeSizes, writeValue } from '../pickle/write-value.js';
import { PickleWriter } from '../pickle/writer.js';
import type { FileValue } from '../value.js';
import { type WrittenEntry, ZipWriter } from '../zip/writer.js';
import { STORAGE_CLASS } from './storage.js';

/** Sizes and checksums of the archive's members, by name. */
export type WrittenArchive = ReadonlyMap<string, WrittenEntry>;

/** The archive's folder; PyTorch takes any name. */
const ROOT = 'archive';

/** @returns what was meant to be written, to compare the file with */
export async function writeTorch(file: WritableFile, value: FileValue): Promise<WrittenArchive> {
  const tensors = new Map<TensorSource, string>();
  const pickle = writePickle(value, tensors);
  const zip = new ZipWriter(file);
  await zip.add(`${ROOT}/data.pkl`, pickle);
  await zip.add(`${ROOT}/byteorder`, Buffer.from(HOST_IS_LITTLE_ENDIAN ? 'little' : 'big'));
  for (const [source, key] of tensors) {
    await zip.add(`${ROOT}/data/${key}`, bytesOf(await loadTensor(source)));
  }
  await zip.add(`${ROOT}/version`, Buffer.from('3\n'));
  return zip.finish();
}

/** @param tensors receives the tensors that were met and their storage keys */
function writePickle(root: FileValue, tensors: Map<TensorSource, string>): Uint8Array {
  const out = new PickleWriter();
  writeValue(out, root, '.pth', (value) => {
    const key = tensors.get(value) ?? String(tensors.size);
    tensors.set(value, key);
    const { dtype, shape } = value;
    out.global('torch._utils', '_rebuild_tensor_v2').op('(');
    out.op('(').text('storage').global('torch', `${STORAGE_CLASS[dtype]}Storage`).text(key).text('cpu');
    out.int(elementCount(shape)).op('t').op('Q').int(0);
    writeSizes(out, shape);
    writeSizes(out, rowMajorStrides(shape));
    // requires_grad, backward hooks
    out.op('\x89').global('collections', 'OrderedDict').op(')').op('R').op('t').op('R');
  });
  return out.finish();
}
