/** Writes a backbone as ONNX, and checks what arrived on the disk. */

import { createHash } from 'node:crypto';
import { UserError } from '../core/errors.js';
import { durably } from '../core/fs.js';
import { replaceWhole } from '../core/replace.js';
import type { WritableFile } from '../formats/byte-sink.js';
import { writeOnnx } from '../formats/onnx/write.js';
import { backboneToOnnx } from './onnx-backbone.js';
import type { StateDict } from './state-dict.js';
import { fingerprint, type WriteOptions } from './write-weights.js';

/**
 * @param tensors by torchvision's names, without classifier
 * @param where the file that they come from, for messages
 * @throws UserError as `writeWeights`
 */
export async function writeOnnxBackbone(
  path: string,
  tensors: StateDict,
  where: string,
  options: WriteOptions = {},
): Promise<void> {
  const model = backboneToOnnx(tensors, { where, ...(options.metadata && { metadata: options.metadata }) });
  await replaceWhole(path, options, async (temporary) => {
    await durably(temporary, (file) => writeOnnx(file, model));
    // Nothing here reads ONNX: the file is compared with what a second writing would give.
    const hash = createHash('sha256');
    await writeOnnx(hashing(hash), model);
    if ((await fingerprint(temporary)).sha256 === hash.digest('hex')) return;
    throw new UserError('did not arrive on the disk as it was written', {
      where: path,
      remedy: 'the disk or the network folder may be failing, choose another one; nothing was replaced',
    });
  });
}

/** A file that keeps nothing but the hash of what is written to it from front to back. */
function hashing(hash: ReturnType<typeof createHash>): WritableFile {
  const write = async (buffer: Uint8Array, offset: number, length: number) => {
    hash.update(buffer.subarray(offset, offset + length));
    return { bytesWritten: length, buffer };
  };
  // The overloads of FileHandle.write are of no interest: writers pass bytes, range and position.
  return { write: write as never };
}
