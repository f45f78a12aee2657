/**
 * Variables: tensors that live in TensorFlow between steps. They carry the names of PyTorch state dicts.
 *
 * Values are never put into the graph as constants (slower, and twice the memory): a variable is a resource that is
 * filled once through a placeholder.
 */

import { type ElementType, elementCount, typeCode } from '../tensorflow/dtype.js';
import type { Graph, Operation, Output } from '../tensorflow/graph.js';
import { alsoRun, atEnd, currentTrace, op, operation, producer, type Trace, toOutput } from './recorder.js';
import type { Tensor } from './tfjs.js';

export class Variable {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: ElementType;
  /** Resource handle in the graph. */
  readonly handle: Output;
  /** Fed to fill the variable. */
  readonly placeholder: Output;
  readonly fill: Operation;
  /** Fetched to read the variable. */
  readonly value: Output;
  #read: { trace: Trace; tensor: Tensor } | undefined;

  /** Use `Runtime.variable`. */
  constructor(graph: Graph, name: string, shape: readonly number[], type: ElementType) {
    this.name = name;
    this.shape = shape;
    this.type = type;
    const dtype = { kind: 'type', value: typeCode(type) } as const;
    const shapeAttribute = { kind: 'shape', value: shape } as const;
    const path = `variable/${name}`;
    this.handle = graph.add('VarHandleOp', path, [], {
      dtype,
      shape: shapeAttribute,
      shared_name: { kind: 'string', value: name },
    }).outputs[0];
    this.placeholder = graph.add('Placeholder', `${path}/fill`, [], {
      dtype,
      shape: shapeAttribute,
    }).outputs[0];
    this.fill = graph.add('AssignVariableOp', `${path}/assign`, [this.handle, this.placeholder], { dtype });
    this.value = graph.add('ReadVariableOp', `${path}/value`, [this.handle], { dtype }).outputs[0];
  }

  get size(): number {
    return elementCount(this.shape);
  }

  /** The value at the start of the step that is being compiled, as a tensor of `shape`. */
  read(): Tensor {
    const trace = currentTrace();
    if (this.#read?.trace === trace) return this.#read.tensor;
    const tensor = op('ReadVariableOp', [this.handle], {
      dtype: { kind: 'type', value: typeCode(this.type) },
    });
    this.#read = { trace, tensor };
    return tensor;
  }

  /** The value after `operations` have run. */
  readAfter(operations: readonly Operation[]): Operation {
    return operation(
      'ReadVariableOp',
      [this.handle],
      { dtype: { kind: 'type', value: typeCode(this.type) } },
      operations,
    );
  }

  /**
   * Replaces the value when the step runs. Reads by `read` in the same step see the old value. Recorded last, so that it
   * waits for every gate.
   */
  assign(value: Tensor): void {
    const trace = currentTrace();
    if (trace.isReadOnly) return;
    const fresh = toOutput(value);
    atEnd(() => {
      // Without the control edge a late read could see the new value.
      const before = this.#read?.trace === trace ? [producer(this.#read.tensor)] : [];
      const dtype = { kind: 'type', value: typeCode(this.type) } as const;
      alsoRun(operation('AssignVariableOp', [this.handle, fresh], { dtype }, before));
    });
  }
}
