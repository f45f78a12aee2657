/**
 * An ONNX model as plain data: what of onnx.proto a network of convolutions needs. Names follow onnx.proto, where a
 * value is what flows from node to node: one name for each graph input, initializer and node output.
 */

import type { DType, TensorSource } from '../../core/array.js';

export interface OnnxModel {
  /** Version of the file format; each goes with a range of operator sets. */
  readonly irVersion: number;
  /** Version of the standard operators, which says what the nodes mean. */
  readonly opset: number;
  /** The program that made the model. */
  readonly producer: string;
  /** For humans. */
  readonly doc: string;
  readonly graph: OnnxGraph;
  /** Anything, as text. */
  readonly metadata: ReadonlyMap<string, string>;
}

export interface OnnxGraph {
  readonly name: string;
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  /** Each after those whose outputs it reads. */
  readonly nodes: readonly OnnxNode[];
  /** Constants by value name; loaded one by one when the model is written. */
  readonly initializers: ReadonlyMap<string, TensorSource>;
}

/** An input or output of the graph. */
export interface OnnxValue {
  readonly name: string;
  readonly dtype: DType;
  /** A dimension that is known only at run time is a name: equal names are equal sizes. */
  readonly shape: readonly (number | string)[];
  readonly doc: string;
}

export interface OnnxNode {
  readonly name: string;
  /** A standard operator, e.g. `Conv`. */
  readonly op: string;
  /** Value names. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Those that are left out have the operator's default. */
  readonly attributes?: Readonly<Record<string, OnnxAttribute>>;
}

/** A number alone does not tell an integer from a float, which are different attributes to ONNX. */
export type OnnxAttribute =
  | { readonly int: number }
  | { readonly ints: readonly number[] }
  | { readonly float: number };
