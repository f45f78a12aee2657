/**
 * Pickles of NumPy arrays and plain values: Detectron2's `.pkl` files, and others' (pycls, MoCo's converter, Caffe2).
 *
 * Reading takes every protocol and dialect; arrays longer than a few pages stay in the file until they are loaded. Nothing
 * is executed. Writing is protocol 3, for which Python 3 is enough, and holds one array in memory at a time.
 */

import { bytesOf, elementSize, loadTensor, type TensorSource } from '../core/array.js';
import { type Log, SILENT } from '../core/log.js';
import { HOST_IS_LITTLE_ENDIAN } from './byte-order.js';
import { ByteSink, type WritableFile } from './byte-sink.js';
import type { ByteSource } from './byte-source.js';
import { CODE_OF_DTYPE } from './numpy-codes.js';
import { BUILTIN_BUILDERS } from './pickle/builtins.js';
import { readPickle } from './pickle/machine.js';
import { NUMPY_BUILDERS } from './pickle/numpy.js';
import { reveal } from './pickle/reveal.js';
import { writeSizes, writeValue } from './pickle/write-value.js';
import { PickleWriter } from './pickle/writer.js';
import { byteLength } from './streamed-tensor.js';
import { tensorBudget, withPlace } from './torch/file.js';
import type { FileValue } from './value.js';

const BUILDERS = new Map([...BUILTIN_BUILDERS, ...NUMPY_BUILDERS]);

export interface ReadPickleOptions {
  /** Refuse objects that are neither arrays nor plain values; by default they become `PyOpaque`. */
  readonly strict?: boolean;
  readonly log?: Log;
}

/** @throws UserError when the file is no sound pickle; elements of long arrays are read by `load()` */
export function readNumpyPickle(source: ByteSource, options: ReadPickleOptions = {}): FileValue {
  const { strict = false, log = SILENT } = options;
  const where = source.name;
  const { value, opaque } = source.useNow((read) =>
    readPickle({ size: source.size, read, source }, { where, builders: BUILDERS, strict }),
  );
  if (opaque.size > 0) log.info(`${where}: not read, objects of ${[...opaque].join(', ')}`);
  return withPlace(where, () => reveal(value, tensorBudget(source.size)));
}

/** What protocol 3 can say of the length of bytes. */
const LARGEST_ARRAY = 0xffffffff;

/**
 * Writes a value; tensors become NumPy arrays, row-major, in the order of the machine's bytes. They may be lazy.
 *
 * @throws UserError naming a tensor of bfloat16, which NumPy does not have, or a value that a pickle cannot hold
 */
export async function writeNumpyPickle(file: WritableFile, value: FileValue): Promise<void> {
  const out = new PickleWriter(3);
  const parts: (Uint8Array | TensorSource)[] = [];
  writeValue(out, value, '.pkl', (tensor, fail) => {
    const code = CODE_OF_DTYPE.get(tensor.dtype);
    if (code === undefined)
      throw fail(`NumPy has no ${tensor.dtype}; convert it to float32 (--dtype float32)`);
    if (byteLength(tensor) > LARGEST_ARRAY) throw fail('an array of 4 GiB or more');
    writeArray(out, tensor, code);
    parts.push(out.take(), tensor);
    // Behind the bytes: the state is complete.
    out.op('t').op('b');
  });
  parts.push(out.finish());
  const sink = new ByteSink(file);
  for (const part of parts) {
    await sink.write(part instanceof Uint8Array ? part : bytesOf(await loadTensor(part)));
  }
}

/** An array up to its bytes: `_reconstruct(ndarray, (0,), b"b")`, then its state. */
function writeArray(out: PickleWriter, tensor: TensorSource, code: string): void {
  const { dtype, shape } = tensor;
  const order = elementSize(dtype) === 1 ? '|' : HOST_IS_LITTLE_ENDIAN ? '<' : '>';
  out.global('numpy.core.multiarray', '_reconstruct').op('(').global('numpy', 'ndarray');
  writeSizes(out, [0]);
  out.bytes(Buffer.from('b')).op('t').op('R');
  out.op('(').int(1);
  writeSizes(out, shape);
  // dtype(code, align=False, copy=True), and its state.
  out.global('numpy', 'dtype').op('(').text(code).op('\x89').op('\x88').op('t').op('R');
  out.op('(').int(3).text(order).op('N').op('N').op('N').int(-1).int(-1).int(0).op('t').op('b');
  // Row-major.
  out.op('\x89').bytesHeader(byteLength(tensor));
}
