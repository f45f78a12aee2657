/**
 * A compiled step: a function of inputs and variables, traced once, run as one call into TensorFlow. What it asks the host
 * on the way is in `question.ts`.
 */

import type { Pointer } from '../tensorflow/capi.js';
import type { ElementArray } from '../tensorflow/dtype.js';
import type { Library } from '../tensorflow/library.js';
import type { Call, Session } from '../tensorflow/session.js';
import { type Answerer, converse, type Question } from './question.js';
import { createTensors, type HostValues, type InputSpec, type ShapedArray, takeTensors } from './values.js';

export type { InputSpec, ShapedArray } from './values.js';

/** Host values of a step's inputs, row-major. */
export type Inputs<Name extends string> = HostValues<Name>;

export interface RunOptions {
  /** By name of the question; a step that asks needs them all. */
  answers?: Readonly<Record<string, Answerer>>;
  /** Receives the serialised RunMetadata: the run is profiled. */
  trace?: (metadata: Uint8Array) => void;
}

export class Step<InputName extends string, OutputName extends string> {
  readonly name: string;
  readonly inputs: Readonly<Record<InputName, InputSpec>>;
  /** Nodes that were added to the graph for this step. */
  readonly operations: number;
  readonly #library: Library;
  readonly #session: Session;
  readonly #call: Call;
  readonly #questions: readonly Question[];
  readonly #outputNames: readonly OutputName[];
  /** The last run of a step that asks: such runs come one after another. */
  #last: Promise<unknown> = Promise.resolve();

  /** Use `Runtime.compile`. */
  constructor(parts: {
    name: string;
    library: Library;
    session: Session;
    call: Call;
    inputs: Readonly<Record<InputName, InputSpec>>;
    questions: readonly Question[];
    outputNames: readonly OutputName[];
    operations: number;
  }) {
    this.name = parts.name;
    this.inputs = parts.inputs;
    this.operations = parts.operations;
    this.#library = parts.library;
    this.#session = parts.session;
    this.#call = parts.call;
    this.#questions = parts.questions;
    this.#outputNames = parts.outputNames;
  }

  /**
   * Runs the step; the event loop stays free meanwhile.
   *
   * @returns the outputs, row-major
   * @throws Error when an input does not fit its shape or an answer is missing; what an answerer throws; TensorFlowError
   */
  async run(inputs: Inputs<InputName>, options: RunOptions = {}): Promise<Record<OutputName, ElementArray>> {
    const outputs = Object.entries<ShapedArray>(await this.runWithShapes(inputs, options));
    return Object.fromEntries(outputs.map(([name, { data }]) => [name, data])) as Record<
      OutputName,
      ElementArray
    >;
  }

  /** Like `run`, for outputs whose shape is open. */
  async runWithShapes(
    inputs: Inputs<InputName>,
    { answers = {}, trace }: RunOptions = {},
  ): Promise<Record<OutputName, ShapedArray>> {
    const mute = this.#questions.find(({ name }) => answers[name] === undefined);
    if (mute !== undefined) throw new Error(`step ${this.name} asks ${mute.name}, and nobody answers`);
    const feeds = createTensors(this.#library, `step ${this.name}: input`, this.inputs, inputs);
    try {
      const run = () => this.#session.run(this.#call, feeds, trace);
      const fetched =
        this.#questions.length === 0 ? run() : this.#inTurn(() => converse(run, this.#questions, answers));
      return takeTensors(this.#library, this.#outputNames, await fetched);
    } finally {
      for (const tensor of feeds) this.#session.deleteTensor(tensor);
    }
  }

  #inTurn(work: () => Promise<Pointer[]>): Promise<Pointer[]> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}
