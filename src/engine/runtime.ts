/**
 * The engine's face: open a runtime, declare variables, compile a function of inputs and variables into a step, run it,
 * read and write variables. Nothing above this folder knows that a graph or a foreign-function interface exists.
 *
 *     const runtime = Runtime.open({ libraries });
 *     const w = runtime.variable('w', [2]);
 *     const step = runtime.compile('double', { x: { type: 'float32', shape: [2] } }, ({ x }) => ({ y: tf.mul(x, w.read()) }));
 *     const { y } = await step.run({ x: new Float32Array([1, 2]) });
 */

import { cpus } from 'node:os';
import { UserError } from '../core/errors.js';
import { bytesField, message, varintField } from '../core/protobuf.js';
import type { Pointer } from '../tensorflow/capi.js';
import {
  createElements,
  type ElementArray,
  type ElementType,
  elementCount,
  typeCode,
} from '../tensorflow/dtype.js';
import { Graph, type Output } from '../tensorflow/graph.js';
import { type Library, loadLibrary, withoutStartupNoise } from '../tensorflow/library.js';
import { type Device, Session } from '../tensorflow/session.js';
import { createTensor, readTensor } from '../tensorflow/tensor.js';
import { Question } from './question.js';
import { ReadAhead } from './read-ahead.js';
import { operation, record, toOutput, toTensor } from './recorder.js';
import { Step } from './step.js';
import type { Tensor } from './tfjs.js';
import type { InputSpec } from './values.js';
import { Variable } from './variable.js';

/** `mixed` lets TensorFlow run matrix products and convolutions in 16 bits where it judges that safe. */
export type Precision = 'float32' | 'mixed';
export type DeviceChoice = 'auto' | 'cpu' | 'gpu';

export interface RuntimeOptions {
  /** Shared libraries in load order; see `engine/install`. */
  libraries: readonly string[];
  /** `auto` uses a GPU when the library and the machine have one. */
  device?: DeviceChoice;
  /** Threads within one operation; 0 = one for each core. */
  threads?: number;
  precision?: Precision;
}

/**
 * What gives or takes tensors and variables is internal, and left out of the package's types: those of TensorFlow.js are not
 * installed with it.
 */
export class Runtime {
  readonly version: string;
  readonly devices: readonly Device[];
  /** The kind of device that computes. */
  readonly device: 'cpu' | 'gpu';
  readonly threads: number;
  readonly #library: Library;
  readonly #graph: Graph;
  readonly #session: Session;
  readonly #variables = new Map<string, Variable>();

  private constructor(
    library: Library,
    graph: Graph,
    session: Session,
    settings: { devices: Device[]; device: 'cpu' | 'gpu'; threads: number },
  ) {
    this.#library = library;
    this.#graph = graph;
    this.#session = session;
    this.version = library.version;
    this.devices = settings.devices;
    this.device = settings.device;
    this.threads = settings.threads;
  }

  /** @throws UserError when the library cannot be loaded or the device is not there */
  static open(options: RuntimeOptions): Runtime {
    return withoutStartupNoise(() => {
      const library = loadLibrary(options.libraries);
      const graph = new Graph(library);
      const threads = options.threads || cpus().length;
      const choice = options.device ?? 'auto';
      const session = new Session(graph, sessionConfig(threads, choice, options.precision ?? 'float32'));
      const devices = session.devices();
      const hasGpu = devices.some(({ type }) => type === 'GPU');
      if (choice === 'gpu' && !hasGpu) {
        session.close();
        graph.delete();
        throw new UserError('TensorFlow sees no GPU', {
          key: 'engine/device',
          value: choice,
          remedy: 'install the CUDA runtime with `scrl engine install --cuda`, or use --engine/device cpu',
        });
      }
      return new Runtime(library, graph, session, { devices, device: hasGpu ? 'gpu' : 'cpu', threads });
    });
  }

  /** Number of graph nodes so far. */
  get operations(): number {
    return this.#graph.operations;
  }

  /** Number of calls into TensorFlow so far: who keeps a variable's value knows by it that it may be another now. */
  get calls(): number {
    return this.#session.calls;
  }

  /**
   * Declares a variable. It has no value until it is written.
   *
   * @param name unique; PyTorch state-dict name where there is one
   * @internal
   */
  variable(name: string, shape: readonly number[], type: ElementType = 'float32'): Variable {
    if (this.#variables.has(name)) throw new Error(`variable ${name} is declared twice`);
    const variable = new Variable(this.#graph, name, shape, type);
    this.#variables.set(name, variable);
    return variable;
  }

  /** All variables, in the order of their declaration. @internal */
  variables(): Variable[] {
    return [...this.#variables.values()];
  }

  /**
   * Traces `trace` once into the graph.
   *
   * @param inputs what is fed on each run; a side of -1 may differ from run to run
   * @param trace receives one tensor for each input and returns the tensors to fetch; what it assigns to variables
   *   happens on each run
   * @internal
   */
  compile<InputName extends string, OutputName extends string>(
    name: string,
    inputs: Readonly<Record<InputName, InputSpec>>,
    trace: (inputs: Record<InputName, Tensor>) => Record<OutputName, Tensor>,
  ): Step<InputName, OutputName> {
    const before = this.#graph.operations;
    const feeds: Output[] = [];
    const { result, targets, questions } = record(this.#graph, name, () => {
      const tensors = {} as Record<InputName, Tensor>;
      for (const [key, { type, shape }] of Object.entries(inputs) as [InputName, InputSpec][]) {
        const { outputs } = this.#graph.add('Placeholder', `${name}/input/${key}`, [], {
          dtype: { kind: 'type', value: typeCode(type) },
          shape: { kind: 'shape', value: shape },
        });
        feeds.push(outputs[0]);
        tensors[key] = toTensor(outputs[0]);
      }
      const outputs = trace(tensors);
      return Object.entries<Tensor>(outputs).map(([key, tensor]) => {
        const output = toOutput(tensor);
        // TensorFlow does not fetch what was fed.
        const isFed = feeds.some(({ oper }) => oper === output.oper);
        return {
          key,
          output: isFed
            ? operation('Identity', [tensor], { T: { kind: 'type', value: output.dtype } }).outputs[0]
            : output,
        };
      });
    });
    return new Step({
      name,
      library: this.#library,
      session: this.#session,
      call: this.#session.prepare(
        `step ${name}`,
        feeds,
        result.map(({ output }) => output),
        targets,
      ),
      inputs,
      questions: questions.map((asked) => new Question(name, this.#library, this.#session, asked)),
      outputNames: result.map(({ key }) => key as OutputName),
      operations: this.#graph.operations - before,
    });
  }

  /** Fills a variable from row-major host data. @internal */
  async write(variable: Variable, data: ElementArray): Promise<void> {
    await this.writeAll([[variable, data]]);
  }

  /**
   * Fills variables from row-major host data, many in one call: TensorFlow prepares each call that it has not seen before by
   * a walk over the whole graph, which takes longer than copying a variable.
   *
   * @param values taken as they are needed, so that only a part of them is in memory
   * @internal
   */
  async writeAll(
    values: Iterable<VariableValue> | AsyncIterable<VariableValue>,
    limit = TRANSFER_BYTES,
  ): Promise<void> {
    let group: VariableValue[] = [];
    let bytes = 0;
    for await (const value of values) {
      checkSize(...value);
      group.push(value);
      bytes += value[1].byteLength;
      if (bytes < limit) continue;
      await this.#writeGroup(group);
      [group, bytes] = [[], 0];
    }
    if (group.length > 0) await this.#writeGroup(group);
  }

  /** Fills variables with zeros. @internal */
  async clear(variables: readonly Variable[]): Promise<void> {
    await this.writeAll(zerosFor(variables));
  }

  async #writeGroup(group: readonly VariableValue[]): Promise<void> {
    const variables = group.map(([variable]) => variable);
    const call = this.#session.prepare(
      `write ${namesOf(variables)}`,
      variables.map(({ placeholder }) => placeholder),
      [],
      variables.map(({ fill }) => fill),
    );
    const tensors: Pointer[] = [];
    try {
      for (const [{ type, shape }, data] of group) {
        tensors.push(createTensor(this.#library, type, shape, data));
      }
      await this.#session.run(call, tensors);
    } finally {
      for (const tensor of tensors) this.#session.deleteTensor(tensor);
    }
  }

  /** Copies a variable's value to the host, row-major. @throws TensorFlowError when it was never written @internal */
  async read(variable: Variable): Promise<ElementArray> {
    const [data] = await this.readAll([variable]);
    return data;
  }

  /**
   * What reads variables one after another, in few calls and with little memory.
   *
   * @param variables in the order in which they will be asked for, more or less
   * @internal
   */
  readAhead(variables: readonly Variable[], limit = TRANSFER_BYTES): ReadAhead {
    return new ReadAhead(this, variables, limit);
  }

  /** The values of variables, read in one call. @internal */
  async readAll(variables: readonly Variable[]): Promise<ElementArray[]> {
    const call = this.#session.prepare(
      `read ${namesOf(variables)}`,
      [],
      variables.map(({ value }) => value),
      [],
    );
    const tensors = await this.#session.run(call, []);
    try {
      return tensors.map((tensor) => readTensor(this.#library, tensor));
    } finally {
      for (const tensor of tensors) this.#session.deleteTensor(tensor);
    }
  }

  /**
   * Frees the session with all variables, and the graph. Whatever is asked of the runtime, its steps and its variables
   * afterwards throws.
   *
   * @throws Error when a step runs, or it is closed already
   */
  close(): void {
    this.#session.close();
    this.#graph.delete();
  }
}

/** A variable and what it is to hold. @internal */
export type VariableValue = readonly [Variable, ElementArray];

/** Of one call that reads or writes many variables: enough to make calls few, too little to be felt. */
export const TRANSFER_BYTES = 2 ** 24;

function* zerosFor(variables: readonly Variable[]): Generator<VariableValue> {
  for (const variable of variables) yield [variable, createElements(variable.type, variable.size)];
}

function checkSize({ name, shape }: Variable, { length }: ElementArray): void {
  if (length === elementCount(shape)) return;
  throw new Error(`variable ${name} has shape [${shape.join(', ')}], got ${length} elements`);
}

function namesOf(variables: readonly Variable[]): string {
  const [first] = variables;
  return variables.length === 1 ? first.name : `${first.name} and ${variables.length - 1} more`;
}

/**
 * Operations that run side by side, besides the threads within each: convolutions wait for arithmetic, batch norms for
 * memory, so one of each fills a processor better than two halves of the same.
 */
const OPERATIONS_AT_ONCE = 2;

/**
 * ConfigProto: device_count = 1, intra_op_parallelism_threads = 2, inter_op_parallelism_threads = 5, gpu_options = 6
 * {allow_growth = 4}, allow_soft_placement = 7, graph_options = 10 {rewrite_options = 10 {auto_mixed_precision = 23,
 * auto_mixed_precision_onednn_bfloat16 = 31}}.
 */
function sessionConfig(threads: number, device: DeviceChoice, precision: Precision): Uint8Array {
  const fields = [varintField(2, threads), varintField(5, OPERATIONS_AT_ONCE), varintField(7, true)];
  if (device === 'cpu') {
    // A map entry {key = 1, value = 2}: no GPUs.
    fields.push(bytesField(1, message(bytesField(1, new TextEncoder().encode('GPU')), varintField(2, 0))));
  }
  fields.push(bytesField(6, message(varintField(4, true))));
  if (precision === 'mixed') {
    const ON = 1;
    const rewrite = device === 'cpu' ? varintField(31, ON) : varintField(23, ON);
    fields.push(bytesField(10, message(bytesField(10, message(rewrite)))));
  }
  return message(...fields);
}
