/**
 * A TensorFlow graph that is being built: operations, their attributes, and the shapes TensorFlow infers for them.
 */

import { parsedText, readFields } from '../core/protobuf.js';
import type { OutputStruct, Pointer } from './capi.js';
import type { Library } from './library.js';

/** One output of an operation. `shape` has -1 for a dimension that is not known. */
export interface Output extends OutputStruct {
  readonly dtype: number;
  readonly shape: readonly number[];
}

export interface Operation {
  readonly pointer: Pointer;
  readonly name: string;
  readonly outputs: readonly Output[];
}

export type AttributeValue =
  | { kind: 'string'; value: string }
  | { kind: 'int'; value: number }
  | { kind: 'ints'; value: readonly number[] }
  | { kind: 'float'; value: number }
  | { kind: 'bool'; value: boolean }
  | { kind: 'type'; value: number }
  | { kind: 'types'; value: readonly number[] }
  | { kind: 'shape'; value: readonly number[] }
  | { kind: 'tensor'; value: Pointer };

/** What an operation's definition says about its inputs and attributes. */
export interface OpSignature {
  /** In order; a list takes as many outputs as are given to it. */
  readonly inputs: readonly { name: string; list: boolean }[];
  readonly attributes: ReadonlySet<string>;
  /** Attributes that TensorFlow derives from the length of a list input, and that must not be set. */
  readonly derived: ReadonlySet<string>;
}

/** An array of `TF_Output`: pointer, 32-bit index, padding. */
export function packOutputs(outputs: readonly OutputStruct[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(outputs.length * 16));
  outputs.forEach(({ oper, index }, i) => {
    view.setBigUint64(i * 16, oper, true);
    view.setInt32(i * 16 + 8, index, true);
  });
  return new Uint8Array(view.buffer);
}

export class Graph {
  readonly library: Library;
  /** Undefined once the graph is deleted. */
  #pointer: Pointer | undefined;
  readonly #signatures = new Map<string, OpSignature>();
  readonly #names = new Map<string, number>();
  #operations = 0;

  constructor(library: Library) {
    this.library = library;
    this.#pointer = library.c.TF_NewGraph();
  }

  /** @throws Error when the graph is deleted */
  get pointer(): Pointer {
    if (this.#pointer === undefined) throw new Error('the TensorFlow graph is deleted');
    return this.#pointer;
  }

  /** Number of operations added so far. */
  get operations(): number {
    return this.#operations;
  }

  /**
   * Adds an operation.
   *
   * @param type TensorFlow's name, e.g. `Conv2D`
   * @param name path with slashes; made unique with a number when it is taken
   * @param inputs one output for each input, or a list for a list input
   * @param control operations that must have run before
   * @param device e.g. `/device:CPU:0`; by default TensorFlow chooses
   * @throws TensorFlowError with TensorFlow's text when the operation is refused, e.g. for its shapes
   */
  add(
    type: string,
    name: string,
    inputs: readonly (Output | readonly Output[])[],
    attributes: Readonly<Record<string, AttributeValue>> = {},
    control: readonly Operation[] = [],
    device?: string,
  ): Operation {
    const { c } = this.library;
    const unique = this.#uniqueName(name);
    const description: Pointer = c.TF_NewOperation(this.pointer, type, unique);
    for (const input of inputs) {
      if ('oper' in input) c.TF_AddInput(description, { oper: input.oper, index: input.index });
      else c.TF_AddInputList(description, packOutputs(input), input.length);
    }
    for (const operation of control) c.TF_AddControlInput(description, operation.pointer);
    for (const [key, attribute] of Object.entries(attributes))
      this.#setAttribute(description, key, attribute);
    if (device !== undefined) c.TF_SetDevice(description, device);
    const pointer: Pointer = this.library.checked(`${unique} (${type})`, (status) =>
      c.TF_FinishOperation(description, status),
    );
    this.#operations++;
    const count: number = c.TF_OperationNumOutputs(pointer);
    const outputs = Array.from({ length: count }, (_, index) => this.#output(pointer, index));
    return { pointer, name: unique, outputs };
  }

  /** The definition of an operation type. @throws TensorFlowError when this library has no such type */
  signature(type: string): OpSignature {
    const known = this.#signatures.get(type);
    if (known !== undefined) return known;
    const { c } = this.library;
    const buffer: Pointer = c.TF_NewBuffer();
    try {
      this.library.checked(type, (status) => c.TF_GraphGetOpDef(this.pointer, type, buffer, status));
      const signature = parseOpDef(this.library.bufferContent(buffer));
      this.#signatures.set(type, signature);
      return signature;
    } finally {
      c.TF_DeleteBuffer(buffer);
    }
  }

  /** @throws Error when it is deleted already */
  delete(): void {
    this.library.c.TF_DeleteGraph(this.pointer);
    this.#pointer = undefined;
  }

  #uniqueName(name: string): string {
    const clean = name.replace(/[^A-Za-z0-9_./-]/g, '_');
    const used = this.#names.get(clean) ?? 0;
    this.#names.set(clean, used + 1);
    return used === 0 ? clean : `${clean}_${used}`;
  }

  #output(oper: Pointer, index: number): Output {
    const { c } = this.library;
    const dtype: number = c.TF_OperationOutputType({ oper, index });
    const dims: number = this.library.checked('shape', (status) =>
      c.TF_GraphGetTensorNumDims(this.pointer, { oper, index }, status),
    );
    const shape = new BigInt64Array(Math.max(dims, 0));
    if (dims > 0) {
      this.library.checked('shape', (status) =>
        c.TF_GraphGetTensorShape(this.pointer, { oper, index }, shape, dims, status),
      );
    }
    return { oper, index, dtype, shape: Array.from(shape, Number) };
  }

  #setAttribute(description: Pointer, key: string, attribute: AttributeValue): void {
    const { c } = this.library;
    switch (attribute.kind) {
      case 'string':
        c.TF_SetAttrString(description, key, attribute.value, Buffer.byteLength(attribute.value));
        break;
      case 'int':
        c.TF_SetAttrInt(description, key, attribute.value);
        break;
      case 'ints':
        c.TF_SetAttrIntList(description, key, int64s(attribute.value), attribute.value.length);
        break;
      case 'float':
        c.TF_SetAttrFloat(description, key, attribute.value);
        break;
      case 'bool':
        c.TF_SetAttrBool(description, key, attribute.value ? 1 : 0);
        break;
      case 'type':
        c.TF_SetAttrType(description, key, attribute.value);
        break;
      case 'types':
        c.TF_SetAttrTypeList(description, key, Int32Array.from(attribute.value), attribute.value.length);
        break;
      case 'shape':
        c.TF_SetAttrShape(description, key, int64s(attribute.value), attribute.value.length);
        break;
      case 'tensor':
        this.library.checked(key, (status) => c.TF_SetAttrTensor(description, key, attribute.value, status));
        break;
    }
  }
}

function int64s(values: readonly number[]): BigInt64Array | null {
  return values.length === 0 ? null : BigInt64Array.from(values, BigInt);
}

/** Reads an `OpDef`: input_arg = 2 {name = 1, number_attr = 5, type_list_attr = 6}, attr = 4 {name = 1}. */
function parseOpDef(definition: Uint8Array): OpSignature {
  const inputs: { name: string; list: boolean }[] = [];
  const attributes = new Set<string>();
  const derived = new Set<string>();
  for (const field of readFields(definition)) {
    if (field.number === 2) {
      let name = '';
      let list = false;
      for (const part of readFields(field.bytes)) {
        if (part.number === 1) name = parsedText(part);
        if (part.number === 5 || part.number === 6) {
          list = true;
          derived.add(parsedText(part));
        }
      }
      inputs.push({ name, list });
    } else if (field.number === 4) {
      for (const part of readFields(field.bytes)) if (part.number === 1) attributes.add(parsedText(part));
    }
  }
  return { inputs, attributes, derived };
}
