/** Writes an ONNX model as one file, its tensors inside and one of them in memory at a time. */

import { UserError } from '../../core/errors.js';
import { ByteSink, type WritableFile } from '../byte-sink.js';
import { littleEndianPieces } from '../streamed-tensor.js';
import { encodeModel, sizeOfPieces } from './encode.js';
import type { OnnxModel } from './model.js';

/** Readers of protocol buffers count their bytes in an int32. */
const LARGEST = 2 ** 31 - 1;

/**
 * Equal models give equal files.
 *
 * @throws UserError when the file would be too large for a reader, before anything is written
 * @throws Error when a lazy tensor turns out to be of another type or shape than it announces
 */
export async function writeOnnx(file: WritableFile, model: OnnxModel): Promise<void> {
  const pieces = encodeModel(model);
  const size = sizeOfPieces(pieces);
  if (size > LARGEST) {
    throw new UserError(`does not fit into an ONNX file: ${size} bytes, and it may have ${LARGEST}`, {
      key: model.graph.name,
      remedy: 'export a smaller network',
    });
  }
  const sink = new ByteSink(file);
  for (const piece of pieces) {
    if (piece instanceof Uint8Array) await sink.write(piece);
    else for await (const bytes of littleEndianPieces(piece)) await sink.write(bytes);
  }
}
