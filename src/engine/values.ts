/** Host values on their way into a run and back: typed arrays, with their shape where that is open. */

import type { Pointer } from '../tensorflow/capi.js';
import { type ElementArray, type ElementType, elementCount } from '../tensorflow/dtype.js';
import type { Library } from '../tensorflow/library.js';
import { createTensor, deleteTensor, readTensor, tensorShape } from '../tensorflow/tensor.js';

/** What is fed: an input of a step, or the host's answer to its question. */
export interface InputSpec {
  readonly type: ElementType;
  /** -1 is a side that may differ from run to run. */
  readonly shape: readonly number[];
}

/** Row-major elements and their shape. */
export interface ShapedArray {
  readonly shape: readonly number[];
  readonly data: ElementArray;
}

/** An array is enough where at most one side is open. */
export type HostValue = ElementArray | ShapedArray;

export type HostValues<Name extends string> = Readonly<Record<Name, HostValue>>;

/**
 * The shape of a value, of which the specification leaves sides open.
 *
 * @param what names the value in the message, e.g. `step train: input images`
 * @throws Error when the value does not fit
 */
export function fitShape(what: string, { shape }: InputSpec, value: HostValue): readonly number[] {
  const data = elementsOf(value);
  const text = `${what} has shape [${shape.join(', ')}]`;
  if ('shape' in value) {
    const fits =
      value.shape.length === shape.length && shape.every((side, i) => side < 0 || side === value.shape[i]);
    if (!fits) throw new Error(`${text}, but got [${value.shape.join(', ')}]`);
    if (data.length === elementCount(value.shape)) return value.shape;
    throw new Error(
      `${what} is said to have shape [${value.shape.join(', ')}], but has ${data.length} elements`,
    );
  }
  const open = shape.filter((side) => side < 0).length;
  if (open > 1) throw new Error(`${text}: more than one side is open, so it needs { shape, data }`);
  const known = elementCount(shape.filter((side) => side >= 0));
  if (open === 0 && data.length !== known) {
    throw new Error(`${text}, that is ${known} elements, but got ${data.length}`);
  }
  const side = known === 0 ? 0 : data.length / known;
  if (!Number.isInteger(side)) throw new Error(`${text}, which ${data.length} elements do not fill`);
  return shape.map((given) => (given < 0 ? side : given));
}

/**
 * Native tensors of all values, in the order of the specifications; they are the caller's.
 *
 * @throws Error when a value is missing or does not fit; nothing is left then
 */
export function createTensors<Name extends string>(
  library: Library,
  what: string,
  specs: Readonly<Record<Name, InputSpec>>,
  values: HostValues<Name>,
): Pointer[] {
  const tensors: Pointer[] = [];
  try {
    for (const [name, spec] of Object.entries(specs) as [Name, InputSpec][]) {
      const value: HostValue | undefined = values[name];
      if (value === undefined) throw new Error(`${what} ${name} is missing`);
      const shape = fitShape(`${what} ${name}`, spec, value);
      tensors.push(createTensor(library, spec.type, shape, elementsOf(value)));
    }
    return tensors;
  } catch (error) {
    for (const tensor of tensors) deleteTensor(library, tensor);
    throw error;
  }
}

/** Copies fetched tensors to the host, by name, and deletes them. */
export function takeTensors<Name extends string>(
  library: Library,
  names: readonly Name[],
  tensors: readonly Pointer[],
): Record<Name, ShapedArray> {
  try {
    const taken = {} as Record<Name, ShapedArray>;
    for (const [i, tensor] of tensors.entries()) {
      taken[names[i]] = { shape: tensorShape(library, tensor), data: readTensor(library, tensor) };
    }
    return taken;
  } finally {
    for (const tensor of tensors) deleteTensor(library, tensor);
  }
}

function elementsOf(value: HostValue): ElementArray {
  return 'shape' in value ? value.data : value;
}
