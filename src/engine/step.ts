/**
 * A compiled step: a function of inputs and variables, traced once, run as one call into TensorFlow.
 */

import type { Pointer } from '../tensorflow/capi.js';
import { type ElementArray, type ElementType, elementCount } from '../tensorflow/dtype.js';
import type { Library } from '../tensorflow/library.js';
import type { Call, Session } from '../tensorflow/session.js';
import { createTensor, readTensor } from '../tensorflow/tensor.js';

export interface InputSpec {
  readonly type: ElementType;
  readonly shape: readonly number[];
}

/** Host values of a step's inputs, row-major. */
export type Inputs<Name extends string> = Readonly<Record<Name, ElementArray>>;

export class Step<InputName extends string, OutputName extends string> {
  readonly name: string;
  readonly inputs: Readonly<Record<InputName, InputSpec>>;
  /** Nodes that were added to the graph for this step. */
  readonly operations: number;
  readonly #library: Library;
  readonly #session: Session;
  readonly #call: Call;
  readonly #outputNames: readonly OutputName[];

  /** Use `Runtime.compile`. */
  constructor(parts: {
    name: string;
    library: Library;
    session: Session;
    call: Call;
    inputs: Readonly<Record<InputName, InputSpec>>;
    outputNames: readonly OutputName[];
    operations: number;
  }) {
    this.name = parts.name;
    this.inputs = parts.inputs;
    this.operations = parts.operations;
    this.#library = parts.library;
    this.#session = parts.session;
    this.#call = parts.call;
    this.#outputNames = parts.outputNames;
  }

  /**
   * Runs the step; the event loop stays free meanwhile.
   *
   * @param trace receives the serialised RunMetadata when the run is to be profiled
   * @returns the outputs, row-major
   * @throws Error when an input has the wrong number of elements; TensorFlowError
   */
  async run(
    inputs: Inputs<InputName>,
    trace?: (metadata: Uint8Array) => void,
  ): Promise<Record<OutputName, ElementArray>> {
    const feeds: Pointer[] = [];
    try {
      for (const [name, spec] of Object.entries(this.inputs) as [InputName, InputSpec][]) {
        const data = inputs[name];
        if (data.length !== elementCount(spec.shape)) {
          throw new Error(
            `step ${this.name}: input ${name} has shape [${spec.shape.join(', ')}], ` +
              `that is ${elementCount(spec.shape)} elements, but got ${data.length}`,
          );
        }
        feeds.push(createTensor(this.#library, spec.type, spec.shape, data));
      }
      const fetched = await this.#session.run(this.#call, feeds, trace);
      try {
        const values = fetched.map((tensor) => readTensor(this.#library, tensor));
        return Object.fromEntries(this.#outputNames.map((name, i) => [name, values[i]])) as Record<
          OutputName,
          ElementArray
        >;
      } finally {
        for (const tensor of fetched) this.#session.deleteTensor(tensor);
      }
    } finally {
      for (const tensor of feeds) this.#session.deleteTensor(tensor);
    }
  }
}
