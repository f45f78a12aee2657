/**
 * A step that asks the host in its middle, in one run.
 *
 *     const { rows } = ask('rois', { scores, boxes }, { rows: { type: 'int32', shape: [-1, 2] } });   // in a traced function
 *     await step.run(inputs, { answers: { rois: async ({ scores, boxes }) => ({ rows }) } });         // when it runs
 *
 * The graph puts the question into a queue and goes on behind another queue's `QueueDequeueV2`, which waits without holding
 * a thread of the executor. The host takes the question by a second run of the same session and brings the answer by a
 * third, while the first is under way. (TensorFlow's partial runs would do without queues, but one failed operation ends
 * the session for good.)
 *
 * With every answer travels a flag. A host that throws answers blanks without it: an `Assert` fails before anything sees
 * them, and before any variable is changed (`gate` in recorder.ts). A step that fails by itself is helped out of its
 * queues: whoever still listens gets a blank question, and what was left in the queues is thrown away, or the next run
 * would find it. Queues do not tell runs apart, so a step that asks is run once at a time.
 */

import type { Pointer } from '../tensorflow/capi.js';
import { createElements, elementCount, TF_BOOL, TF_INT32, typeCode } from '../tensorflow/dtype.js';
import type { AttributeValue, Operation, Output } from '../tensorflow/graph.js';
import type { Library } from '../tensorflow/library.js';
import type { Call, Session } from '../tensorflow/session.js';
import { createTensor } from '../tensorflow/tensor.js';
import {
  alsoRun,
  currentTrace,
  gate,
  loadTfjs,
  type RecordedQuestion,
  toOutput,
  toTensor,
} from './recorder.js';
import type { Tensor } from './tfjs.js';
import { createTensors, type HostValues, type InputSpec, type ShapedArray, takeTensors } from './values.js';

/** Answers a question: what the graph asked by name, to values by name. What it throws is what the run throws. */
export type Answerer = (
  question: Readonly<Record<string, ShapedArray>>,
) => HostValues<string> | Promise<HostValues<string>>;

/** Queues hold host memory: a question of a graph on a GPU is copied there. */
const HOST = '/device:CPU:0';

/** The flag that travels with every answer. */
const FLAG: InputSpec = { type: 'bool', shape: [] };

/**
 * Records a question to the host. No gradient flows through it.
 *
 * @param name of the question; unique in the step
 * @param question what the host gets to see
 * @param answers what it must give back; -1 is an open side
 * @returns the answers, of the shapes asked for
 */
export function ask<Name extends string>(
  name: string,
  question: Readonly<Record<string, Tensor>>,
  answers: Readonly<Record<Name, InputSpec>>,
): Record<Name, Tensor> {
  const { graph, questions, path } = currentTrace();
  if (questions.some((other) => other.name === name)) throw new Error(`question ${name} is asked twice`);
  const here = [...path, name].join('/');
  const asked = Object.values(question).map(toOutput);
  const { nodes, taken, answered } = recordQueues(here, asked, [...Object.values<InputSpec>(answers), FLAG]);
  gate(answered);
  questions.push({ ...nodes, name, keys: Object.keys(question), answers });
  const entries = Object.entries<InputSpec>(answers).map(([key, { shape }], i) => {
    // A queue forgets shapes.
    const attributes = { T: type(taken[i].dtype), shape: { kind: 'shape', value: shape } } as const;
    const known = graph.add('EnsureShape', `${here}/${key}`, [taken[i]], attributes, [answered]);
    return [key, toTensor(known.outputs[0])];
  });
  return Object.fromEntries(entries) as Record<Name, Tensor>;
}

type Queues = Omit<RecordedQuestion, 'name' | 'keys' | 'answers'>;
type Inputs = readonly (Output | readonly Output[])[];
type Attributes = Readonly<Record<string, AttributeValue>>;

/** @returns the nodes, what the step takes out of the queue of answers (they and the flag), and what fails without the flag */
function recordQueues(
  path: string,
  asked: readonly Output[],
  specs: readonly InputSpec[],
): { nodes: Queues; taken: readonly Output[]; answered: Operation } {
  const { graph } = currentTrace();
  const add = (kind: string, name: string, inputs: Inputs, attributes: Attributes): Operation =>
    graph.add(kind, `${path}/${name}`, inputs, attributes, [], HOST);
  const queue = (name: string, parts: readonly Output[]) =>
    add('FIFOQueueV2', name, [], { component_types: types(parts), capacity: { kind: 'int', value: 1 } })
      .outputs[0];
  const put = (name: string, into: Output, parts: readonly Output[]) =>
    add('QueueEnqueueV2', name, [into, parts], { Tcomponents: types(parts) });
  const take = (name: string, from: Output, parts: readonly Output[]) =>
    add('QueueDequeueV2', name, [from], { component_types: types(parts) }).outputs;
  const size = (name: string, of: Output) => add('QueueSizeV2', name, [of], {}).outputs[0];

  const slots = specs.map(({ type: element, shape }, i) => {
    const attributes = { dtype: type(typeCode(element)), shape: { kind: 'shape', value: shape } } as const;
    return add('Placeholder', `slot${i}`, [], attributes).outputs[0];
  });
  const questions = queue('questions', asked);
  const answers = queue('answers', slots);
  alsoRun(put('ask', questions, asked));
  const taken = take('wait', answers, slots);
  const flag = taken[slots.length - 1];
  const zero = toOutput(loadTfjs().scalar(0, 'int32'));
  const blanks = asked.map(
    ({ dtype }, i) =>
      add('Cast', `blank${i}`, [zero], { SrcT: type(TF_INT32), DstT: type(dtype) }).outputs[0],
  );
  const nodes = {
    slots,
    listen: take('listen', questions, asked),
    reply: put('reply', answers, slots),
    release: put('release', questions, blanks),
    left: [size('questions_left', questions), size('answers_left', answers)],
    drop: take('drop', answers, slots),
  } as const;
  const answered = add('Assert', 'answered', [flag, [flag]], { T: { kind: 'types', value: [TF_BOOL] } });
  return { nodes, taken, answered };
}

function type(value: number): AttributeValue {
  return { kind: 'type', value };
}

function types(outputs: readonly Output[]): AttributeValue {
  return { kind: 'types', value: outputs.map(({ dtype }) => dtype) };
}

/** The host's side of one question. */
export class Question {
  readonly name: string;
  readonly #library: Library;
  readonly #session: Session;
  readonly #recorded: RecordedQuestion;
  readonly #calls: Readonly<Record<'listen' | 'reply' | 'release' | 'left' | 'drop', Call>>;

  /** @param step the name of the step, for messages */
  constructor(step: string, library: Library, session: Session, recorded: RecordedQuestion) {
    const { name, slots, listen, reply, release, left, drop } = recorded;
    this.name = name;
    this.#library = library;
    this.#session = session;
    this.#recorded = recorded;
    const call = (what: string, feeds: readonly Output[], fetches: readonly Output[], targets: Operation[]) =>
      session.prepare(`step ${step}: ${what} ${name}`, feeds, fetches, targets);
    this.#calls = {
      listen: call('question', [], listen, []),
      reply: call('answer to', slots, [], [reply]),
      release: call('release', [], [], [release]),
      left: call('what is left of', [], left, []),
      drop: call('left answer to', [], drop, []),
    };
  }

  /**
   * Takes part in one run of the step.
   *
   * @param failed resolves when the run has failed; pending for ever when it succeeds
   * @throws what `answer` throws, after the run has been told
   */
  async serve(failed: Promise<void>, answer: Answerer): Promise<void> {
    const listening = this.#session.run(this.#calls.listen, []);
    const asked = await Promise.race([settled(listening).then(() => true), failed.then(() => false)]);
    if (!asked) {
      await this.#session.run(this.#calls.release, []);
      this.#take(await listening);
      return;
    }
    try {
      await this.#reply(await answer(this.#take(await listening)), 1);
    } catch (error) {
      await this.#reply(blankAnswers(this.#recorded.answers), 0);
      throw error;
    }
  }

  /** After a failed run nothing may be left for the next one to find. */
  async drain(): Promise<void> {
    const left = await this.#session.run(this.#calls.left, []);
    const { questions, answers } = takeTensors(this.#library, ['questions', 'answers'], left);
    if (questions.data[0] > 0) this.#take(await this.#session.run(this.#calls.listen, []));
    if (answers.data[0] > 0) {
      for (const tensor of await this.#session.run(this.#calls.drop, [])) this.#session.deleteTensor(tensor);
    }
  }

  #take(tensors: readonly Pointer[]): Record<string, ShapedArray> {
    return takeTensors(this.#library, this.#recorded.keys, tensors);
  }

  /** @param counts 1, or 0 for blanks */
  async #reply(values: HostValues<string>, counts: 0 | 1): Promise<void> {
    const { name, answers } = this.#recorded;
    const what = `the answer to ${name}:`;
    const tensors = createTensors(this.#library, what, answers, values);
    try {
      tensors.push(createTensor(this.#library, FLAG.type, FLAG.shape, Uint8Array.of(counts)));
      await this.#session.run(this.#calls.reply, tensors);
    } finally {
      for (const tensor of tensors) this.#session.deleteTensor(tensor);
    }
  }
}

/**
 * Runs a step together with the host's answers.
 *
 * @param run starts the step
 * @returns what the run fetched
 * @throws what an answerer threw, else what the run threw; the next run is not affected
 */
export async function converse(
  run: () => Promise<Pointer[]>,
  questions: readonly Question[],
  answers: Readonly<Record<string, Answerer>>,
): Promise<Pointer[]> {
  const running = run();
  const failed = new Promise<void>((resolve) => {
    running.catch(() => resolve());
  });
  const served = await Promise.allSettled(
    questions.map((question) => question.serve(failed, answers[question.name])),
  );
  try {
    return await running;
  } catch (error) {
    for (const question of questions) await question.drain();
    const refused = served.find((result) => result.status === 'rejected');
    throw refused === undefined ? error : refused.reason;
  }
}

async function settled(promise: Promise<unknown>): Promise<void> {
  await promise.then(
    () => undefined,
    () => undefined,
  );
}

/** Zeros, and no element along an open side. */
function blankAnswers(specs: Readonly<Record<string, InputSpec>>): Record<string, ShapedArray> {
  return Object.fromEntries(
    Object.entries(specs).map(([key, { type: element, shape }]) => {
      const closed = shape.map((side) => Math.max(side, 0));
      return [key, { shape: closed, data: createElements(element, elementCount(closed)) }];
    }),
  );
}
