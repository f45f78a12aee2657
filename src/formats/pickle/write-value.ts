/**
 * Writes plain values as a pickle: what every reader of weights understands, no classes. How a tensor is written is the
 * format's business.
 */

import type { TensorSource } from '../../core/array.js';
import { UserError } from '../../core/errors.js';
import { type FileValue, isTensor } from '../value.js';
import { PyFloat, PyOpaque } from './values.js';
import type { PickleWriter } from './writer.js';

const DEEPEST = 200;
/** Python's own batch, so that readers with a limited stack cope. */
const BATCH = 1000;

/**
 * @param format what messages call the file
 * @param tensor writes one that was met
 * @throws UserError naming the place of what a pickle cannot hold
 */
export function writeValue(
  out: PickleWriter,
  root: FileValue,
  format: string,
  tensor: (value: TensorSource, fail: (problem: string) => UserError) => void,
): void {
  const path: (string | number)[] = [];
  const fail = (problem: string) =>
    new UserError(`cannot be saved in a ${format} file: ${problem}`, {
      key: path.length === 0 ? 'value' : path.join('.'),
      remedy: 'leave it out, or turn it into numbers, text, lists, dicts or tensors',
    });

  function write(value: FileValue): void {
    if (path.length > DEEPEST) throw fail('it is nested too deep, or contains itself');
    if (value === null) out.op('N');
    else if (typeof value === 'boolean') out.op(value ? '\x88' : '\x89');
    else if (typeof value === 'string') text(value);
    else if (typeof value === 'bigint') out.int(value);
    else if (typeof value === 'number') number(value);
    else if (value instanceof PyFloat) out.float(value.value);
    else if (value instanceof Uint8Array) out.bytes(value);
    else if (Array.isArray(value)) {
      out.op(']');
      batches(
        value.map((item, i) => [i, item]),
        'e',
        write,
      );
    } else if (value instanceof Map) {
      out.op('}');
      const pair = (item: FileValue, key: string | number) => {
        if (typeof key === 'number') number(key);
        else text(key);
        write(item);
      };
      batches([...value], 'u', pair);
    } else if (value instanceof PyOpaque) throw fail(`it is an object of ${value.name} that was not read`);
    else if (isTensor(value)) tensor(value, fail);
    else throw fail(`its kind is not known (${typeof value})`);
  }

  function batches(
    items: readonly [string | number, FileValue][],
    close: string,
    each: (item: FileValue, key: string | number) => void,
  ): void {
    for (let start = 0; start < items.length; start += BATCH) {
      out.op('(');
      for (const [key, item] of items.slice(start, start + BATCH)) {
        path.push(key);
        each(item, key);
        path.pop();
      }
      out.op(close);
    }
  }

  function number(value: number): void {
    if (!Number.isInteger(value) || Object.is(value, -0)) out.float(value);
    else if (Number.isSafeInteger(value)) out.int(value);
    else throw fail(`${value} may be an int or a float; use a bigint or float()`);
  }

  function text(value: string): void {
    try {
      out.text(value);
    } catch (error) {
      throw fail(error instanceof RangeError ? error.message : String(error));
    }
  }

  write(root);
}

/** Shape, strides. */
export function writeSizes(out: PickleWriter, values: readonly number[]): void {
  out.op('(');
  for (const value of values) out.int(value);
  out.op('t');
}
