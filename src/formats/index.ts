/**
 * Files of tensors, read and written without Python: PyTorch's `.pth` (of any version), pickled NumPy arrays, `.npz`,
 * safetensors, TensorFlow.js. Needs nothing else of scrl but `core/`.
 *
 * Readers take a `ByteSource` (`fileSource`, `memorySource`) and leave elements where they are until `loadTensor`; nothing in a
 * file is ever run.
 */

export {
  bytesOf,
  DTYPES,
  type DType,
  elementCount,
  fromFloat32,
  type HostTensor,
  hostTensor,
  type LazyTensor,
  loadTensor,
  type TensorOf,
  type TensorSource,
  tensorFromBytes,
  toFloat32,
} from '../core/array.js';
export { UserError, type UserErrorDetails } from '../core/errors.js';
export type { WritableFile } from './byte-sink.js';
export { type ByteSource, fileSource, memorySource } from './byte-source.js';
export { type Container, detectContainer } from './detect.js';
export { type NpyText, type NpzEntry, type NpzFile, readNpz, writeNpz } from './npz.js';
export { type ReadPickleOptions, readNumpyPickle, writeNumpyPickle } from './numpy-pickle.js';
export { readSafetensors, type SafetensorsFile, writeSafetensors } from './safetensors.js';
export type { StreamedTensor, WritableTensor } from './streamed-tensor.js';
export { readTfjs, type TfjsFile, writeTfjs } from './tfjs.js';
export {
  type ReadTorchOptions,
  readTorch,
  readTorchFile,
  verifyTorchFile,
  type WrittenArchive,
  writeTorch,
  writeTorchFile,
} from './torch-pth.js';
export {
  type FileDict,
  type FileValue,
  float,
  isTensor,
  loadAll,
  numberOf,
  PyFloat,
  PyOpaque,
} from './value.js';
