/**
 * Makes TensorFlow.js record instead of execute: a tfjs backend whose every kernel becomes a node of a TensorFlow graph.
 *
 * tfjs-node-gpu's kernels talk to TensorFlow only through a small interface (`TFJSBinding`). Here that interface adds
 * operations to the graph of the trace in progress, and tensors are names for the graph's outputs. tfjs's own programs
 * and gradients thus work unchanged, and cost nothing when the graph runs.
 *
 * tfjs keeps one global engine, so there is one recorder per process and one trace at a time.
 */

import {
  type ElementArray,
  elementType,
  TF_BOOL,
  TF_COMPLEX64,
  TF_FLOAT,
  TF_INT32,
  TF_INT64,
  TF_RESOURCE,
  TF_STRING,
  TF_UINT8,
} from '../tensorflow/dtype.js';
import type { AttributeValue, Graph, Operation, Output } from '../tensorflow/graph.js';
import { createTensor, deleteTensor } from '../tensorflow/tensor.js';
import {
  loadBundle,
  type NodeBackend,
  type Tensor,
  type TensorMetadata,
  type TFEOpAttr,
  type Tfjs,
} from './tfjs.js';
import type { InputSpec } from './values.js';

/** Kinds of attribute as tfjs numbers them. Any distinct numbers do: they only pass through tfjs. */
const STRING = 0;
const INT = 1;
const FLOAT = 2;
const BOOL = 3;
const TYPE = 4;
const SHAPE = 5;

/** What is being recorded: the graph, and what the traced function wants executed besides its outputs. */
export interface Trace {
  readonly graph: Graph;
  readonly targets: Operation[];
  /** Path of layers around the code that is being traced. */
  readonly path: string[];
  /** By tensor id; ids are never used twice, so that tensors of other traces are recognised as strangers. */
  readonly outputs: Map<number, Output>;
  /** What the step asks the host while it runs. */
  readonly questions: RecordedQuestion[];
  /** What must have run before a variable is changed. */
  readonly gates: Operation[];
  /** Whether variables keep their values whatever is assigned to them. */
  isReadOnly: boolean;
  /** See `watchLayers`. */
  watcher: LayerWatcher | undefined;
  /** Recorded when the traced function has returned, each under the path of layers where it was asked for. */
  readonly last: (() => void)[];
}

/** The nodes by which a step asks the host: see `question.ts`. */
export interface RecordedQuestion {
  readonly name: string;
  /** Names of the parts of the question. */
  readonly keys: readonly string[];
  readonly answers: Readonly<Record<string, InputSpec>>;
  /** Fed to reply: the answers in order, then whether they count. */
  readonly slots: readonly Output[];
  /** Fetched to hear the question. */
  readonly listen: readonly Output[];
  readonly reply: Operation;
  /** Asks in the step's place. */
  readonly release: Operation;
  /** Fetched after a failure: how many questions and answers nobody took. */
  readonly left: readonly [Output, Output];
  /** Fetched to throw an answer away. */
  readonly drop: readonly Output[];
}

let current: Trace | undefined;
let nextId = 0;

/** The trace in progress. @throws Error when nothing is being traced */
export function currentTrace(): Trace {
  if (current === undefined)
    throw new Error('tensor operations can only be used while a step is being compiled');
  return current;
}

const binding = {
  TF_FLOAT,
  TF_INT32,
  TF_INT64,
  TF_BOOL,
  TF_COMPLEX64,
  TF_STRING,
  TF_RESOURCE,
  TF_UINT8,
  TF_ATTR_STRING: STRING,
  TF_ATTR_INT: INT,
  TF_ATTR_FLOAT: FLOAT,
  TF_ATTR_BOOL: BOOL,
  TF_ATTR_TYPE: TYPE,
  TF_ATTR_SHAPE: SHAPE,
  TF_ATTR_RESOURCE: 7,

  createTensor(shape: number[], dtype: number, values: ArrayLike<number> | Uint8Array[]): number {
    const trace = currentTrace();
    const type = elementType(dtype);
    const data = toElements(type, values as ArrayLike<number>);
    const tensor = createTensor(trace.graph.library, type, shape, data);
    try {
      const constant = trace.graph.add('Const', nodeName('const'), [], {
        dtype: { kind: 'type', value: dtype },
        value: { kind: 'tensor', value: tensor },
      });
      return remember(constant.outputs[0]);
    } finally {
      deleteTensor(trace.graph.library, tensor);
    }
  },

  executeOp(type: string, attributes: TFEOpAttr[], inputs: number[], count: number): TensorMetadata[] {
    const { graph } = currentTrace();
    const signature = graph.signature(type);
    const values: Record<string, AttributeValue> = {};
    for (const attribute of attributes) {
      // tfjs was written against an eager interface that ignores attributes it does not know.
      if (!signature.attributes.has(attribute.name) || signature.derived.has(attribute.name)) continue;
      values[attribute.name] = attributeValue(attribute);
    }
    // Only one input of an operation is ever a list, so the others fix its length.
    const listLength = inputs.length - signature.inputs.length + 1;
    let next = 0;
    const grouped = signature.inputs.map(({ list }) => {
      if (!list) return recall(inputs[next++]);
      next += listLength;
      return inputs.slice(next - listLength, next).map(recall);
    });
    const operation = graph.add(type, nodeName(type), grouped, values);
    return operation.outputs.slice(0, count).map((output) => metadata(output));
  },

  deleteTensor(): void {},
  getNumOfTensors: () => current?.outputs.size ?? 0,
  isUsingGpuDevice: () => false,
  tensorDataSync(): never {
    throw new Error(
      'the value of a tensor is not known while a step is being compiled; fetch it as an output',
    );
  },
};

function toElements(type: string, values: ArrayLike<number>): ElementArray {
  if (type === 'float32') return values instanceof Float32Array ? values : Float32Array.from(values);
  if (type === 'int32') return values instanceof Int32Array ? values : Int32Array.from(values);
  if (type === 'int64') return BigInt64Array.from(Array.from(values, BigInt));
  return values instanceof Uint8Array ? values : Uint8Array.from(values);
}

function attributeValue({ type, value }: TFEOpAttr): AttributeValue {
  switch (type) {
    case STRING:
      return { kind: 'string', value: value as string };
    case INT:
      return Array.isArray(value) ? { kind: 'ints', value } : { kind: 'int', value: value as number };
    case FLOAT:
      return { kind: 'float', value: value as number };
    case BOOL:
      return { kind: 'bool', value: value as boolean };
    case TYPE:
      return Array.isArray(value) ? { kind: 'types', value } : { kind: 'type', value: value as number };
    case SHAPE:
      return { kind: 'shape', value: value as number[] };
    default:
      throw new Error(`tfjs attribute kind ${type} is not supported`);
  }
}

/** The full name of a node at this point of the trace. */
function nodeName(leaf: string): string {
  return [...currentTrace().path, leaf].join('/');
}

function remember(output: Output): number {
  const id = nextId++;
  currentTrace().outputs.set(id, output);
  return id;
}

function recall(id: number): Output {
  const output = currentTrace().outputs.get(id);
  if (output === undefined) throw new Error('a tensor of another compiled step was used');
  return output;
}

function metadata(output: Output): TensorMetadata {
  return { id: remember(output), shape: [...output.shape], dtype: output.dtype };
}

let backend: NodeBackend | undefined;
let library: Tfjs | undefined;

/** TensorFlow.js with the recording backend, loaded on first use. */
export function loadTfjs(): Tfjs {
  if (library !== undefined) return library;
  const tf = loadBundle();
  tf.enableProdMode();
  const recording = new tf.NodeJSKernelBackend(binding, 'scrl');
  // tfjs frees tensors by scope. Here a tensor is only a name, and gradients need names long after their scope.
  recording.disposeData = () => true;
  backend = recording;
  library = tf;
  tf.registerBackend('tensorflow', () => recording, 3);
  tf.setBackend('tensorflow');
  return tf;
}

function recordingBackend(): NodeBackend {
  loadTfjs();
  if (backend === undefined) throw new Error('unreachable: tfjs is loaded without its backend');
  return backend;
}

export interface Recorded<T> {
  result: T;
  targets: Operation[];
  questions: RecordedQuestion[];
}

/**
 * Records everything that `work` does with tensors. Traces nest: a function's body is recorded into a graph of its own
 * while the graph that calls it is being recorded.
 */
export function record<T>(graph: Graph, name: string, work: () => T): Recorded<T> {
  const tf = loadTfjs();
  const outer = current;
  const trace: Trace = {
    graph,
    targets: [],
    path: [name],
    outputs: new Map(),
    questions: [],
    gates: [],
    isReadOnly: false,
    watcher: undefined,
    last: [],
  };
  current = trace;
  tf.engine().startScope();
  try {
    const result = work();
    for (const finish of trace.last) finish();
    return { result, targets: trace.targets, questions: trace.questions };
  } finally {
    tf.engine().endScope();
    current = outer;
  }
}

/** Wraps a graph output as a tfjs tensor. */
export function toTensor(output: Output): Tensor {
  return recordingBackend().createOutputTensor(metadata(output));
}

/** The graph output that a tfjs tensor stands for. */
export function toOutput(tensor: Tensor): Output {
  const [id] = recordingBackend().getInputTensorIds([tensor]);
  return recall(id);
}

/** The operation that computes a tensor, for control edges. */
export function producer(tensor: Tensor): Operation {
  return { pointer: toOutput(tensor).oper, name: 'producer', outputs: [] };
}

/** Operations that change a variable. */
const WRITES = /^(Assign|Resource(Apply|Scatter))/;

/** Lets nothing that is recorded from now on change a variable before `operation` has run: when it fails, nothing is written. */
export function gate(operation: Operation): void {
  currentTrace().gates.push(operation);
}

/**
 * Records one operation; the way from `ops/` and `solver/` to TensorFlow. What changes a variable waits for the gates, see
 * `gate`.
 *
 * @param inputs tensors, raw outputs (resource handles), or a list for a list input
 */
export function operation(
  type: string,
  inputs: readonly (Tensor | Output | readonly Tensor[])[],
  attributes: Readonly<Record<string, AttributeValue>> = {},
  control: readonly Operation[] = [],
): Operation {
  const resolved = inputs.map((input) => {
    if ('oper' in input) return input;
    return 'dataId' in input ? toOutput(input) : input.map(toOutput);
  });
  const { graph, gates } = currentTrace();
  const before = WRITES.test(type) ? [...control, ...gates] : control;
  return graph.add(type, nodeName(type), resolved, attributes, before);
}

/** Records an operation that has one output. */
export function op(
  type: string,
  inputs: readonly (Tensor | Output | readonly Tensor[])[],
  attributes: Readonly<Record<string, AttributeValue>> = {},
): Tensor {
  return toTensor(operation(type, inputs, attributes).outputs[0]);
}

/** Traces `work` under a layer's name: the names of its nodes and the messages of its errors carry the path. */
export function scope<T>(name: string, work: () => T): T {
  const { path, watcher } = currentTrace();
  path.push(name);
  try {
    const result = work();
    watcher?.(path, result);
    return result;
  } finally {
    path.pop();
  }
}

/** Receives the path of a layer and what it gives. */
export type LayerWatcher = (path: readonly string[], result: unknown) => void;

/** Tells `watcher` what each layer gives that `work` traces. */
export function watchLayers<T>(watcher: LayerWatcher, work: () => T): T {
  const trace = currentTrace();
  const before = trace.watcher;
  trace.watcher = watcher;
  try {
    return work();
  } finally {
    trace.watcher = before;
  }
}

/** Traces `work`, but variables keep their values whatever is assigned to them. */
export function readOnly<T>(work: () => T): T {
  const trace = currentTrace();
  const before = trace.isReadOnly;
  trace.isReadOnly = true;
  try {
    return work();
  } finally {
    trace.isReadOnly = before;
  }
}

/** The path of layers at this point of the trace, for gradients that are recorded later. */
export function scopePath(): string {
  return currentTrace().path.join('/');
}

/** Runs `work` when the traced function has returned, under the path of layers of now. */
export function atEnd(work: () => void): void {
  const { last, path } = currentTrace();
  const here = [...path];
  last.push(() => {
    const outside = path.splice(0, path.length, ...here);
    try {
      work();
    } finally {
      path.splice(0, path.length, ...outside);
    }
  });
}

/** Makes the step execute an operation whose outputs nobody fetches, e.g. an assignment. */
export function alsoRun(target: Operation): void {
  currentTrace().targets.push(target);
}
