/**
 * A value of a `.pth` file as plain JSON, bit by bit: floats as the hex of their eight bytes, tensors as type, shape and the
 * hex of their bytes. test/parity/python/torch_pth.py writes the same form, so the two can be compared.
 */

import { bytesOf, type HostTensor } from '../../src/core/array.js';
import { type FileValue, isTensor, loadAll, PyFloat, PyOpaque } from '../../src/formats/value.js';

export type Description = null | boolean | string | { [kind: string]: unknown };

export async function describeValue(value: FileValue): Promise<Description> {
  return describeLoaded(await loadAll(value));
}

function describeLoaded(value: FileValue): Description {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'bigint') return { int: String(value) };
  if (value instanceof PyFloat) {
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleBE(value.value);
    return { float: bytes.toString('hex') };
  }
  if (value instanceof Uint8Array) return { bytes: Buffer.from(value).toString('hex') };
  if (value instanceof PyOpaque) return { opaque: value.name };
  if (Array.isArray(value)) return { list: value.map(describeLoaded) };
  if (value instanceof Map) {
    return { dict: [...value].map(([key, item]) => [describeLoaded(key), describeLoaded(item)]) };
  }
  if (isTensor(value)) {
    const tensor = value as HostTensor;
    return { tensor: [tensor.dtype, [...tensor.shape], Buffer.from(bytesOf(tensor)).toString('hex')] };
  }
  throw new Error('unknown kind of value');
}
