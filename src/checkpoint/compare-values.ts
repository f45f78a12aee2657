/** Are two values of files the same, bit by bit? One pair of tensors is in memory at a time. */

import { bytesOf, loadTensor, type TensorSource } from '../core/array.js';
import { type FileValue, isTensor, PyFloat } from '../formats/value.js';

/** @returns where they differ, or undefined */
export async function firstDifference(a: FileValue, b: FileValue, path = ''): Promise<string | undefined> {
  if (isTensor(a) && isTensor(b)) return (await sameTensor(a, b)) ? undefined : path;
  if (a instanceof Map && b instanceof Map) {
    const names = (dict: typeof a) => JSON.stringify([...dict.keys()].sort());
    if (names(a) !== names(b)) return path || 'the names';
    for (const [key, item] of a) {
      const found = await firstDifference(
        item,
        b.get(key) ?? null,
        path === '' ? `${key}` : `${path}/${key}`,
      );
      if (found !== undefined) return found;
    }
    return undefined;
  }
  if (Array.isArray(a) && Array.isArray(b)) {
    if (a.length !== b.length) return path;
    for (const [i, item] of a.entries()) {
      const found = await firstDifference(item, b[i], `${path}/${i}`);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  return plain(a) === plain(b) ? undefined : path;
}

export async function sameTensor(a: TensorSource, b: TensorSource): Promise<boolean> {
  if (a.dtype !== b.dtype || String(a.shape) !== String(b.shape)) return false;
  const bytes = bytesOf(await loadTensor(a));
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).equals(bytesOf(await loadTensor(b)));
}

/** A text that tells 1 from 1.0, and 0.0 from -0.0. */
function plain(value: FileValue): string {
  if (value instanceof PyFloat) return `float ${Object.is(value.value, -0) ? '-0' : value.value}`;
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('hex')}`;
  return `${typeof value} ${value}`;
}
