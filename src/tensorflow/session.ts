/**
 * A session runs parts of a graph. A call is prepared once (what is fed, fetched and executed, as packed arrays) and
 * then repeated; the run itself happens on a thread of its own, so that the event loop stays free meanwhile.
 */

import { addressOf, type Pointer } from './capi.js';
import { type Graph, type Operation, type Output, packOutputs } from './graph.js';
import type { Library } from './library.js';
import { adoptTensor, deleteTensor } from './tensor.js';

export interface Device {
  name: string;
  type: string;
}

/** What to feed, fetch and execute; made once by `Session.prepare`. */
export interface Call {
  readonly what: string;
  readonly feeds: Uint8Array;
  readonly fetches: Uint8Array;
  readonly targets: BigUint64Array;
}

export class Session {
  readonly #library: Library;
  /** Undefined once the session is closed: TensorFlow would read freed memory. */
  #pointer: Pointer | undefined;
  /** What runs use until they end: koffi keeps no reference to the arrays of an asynchronous call. */
  readonly #running = new Set<object>();
  #calls = 0;

  /** @param config a serialised ConfigProto */
  constructor(graph: Graph, config: Uint8Array) {
    this.#library = graph.library;
    const { c } = this.#library;
    const options: Pointer = c.TF_NewSessionOptions();
    try {
      this.#library.checked('session configuration', (status) =>
        c.TF_SetConfig(options, config, config.length, status),
      );
      this.#pointer = this.#library.checked('session', (status) =>
        c.TF_NewSession(graph.pointer, options, status),
      );
    } finally {
      c.TF_DeleteSessionOptions(options);
    }
  }

  /** Number of runs that were started. */
  get calls(): number {
    return this.#calls;
  }

  /** Devices that TensorFlow found, CPU first. */
  devices(): Device[] {
    const { c } = this.#library;
    const session = this.#open();
    const list: Pointer = this.#library.checked('devices', (status) =>
      c.TF_SessionListDevices(session, status),
    );
    try {
      const count: number = c.TF_DeviceListCount(list);
      return Array.from({ length: count }, (_, i) =>
        this.#library.checked('device', (status) => ({
          name: c.TF_DeviceListName(list, i, status),
          type: c.TF_DeviceListType(list, i, status),
        })),
      );
    } finally {
      c.TF_DeleteDeviceList(list);
    }
  }

  /**
   * @param what names the call in error messages
   * @throws Error when the session is closed
   */
  prepare(
    what: string,
    feeds: readonly Output[],
    fetches: readonly Output[],
    targets: readonly Operation[],
  ): Call {
    this.#open();
    return {
      what,
      feeds: packOutputs(feeds),
      fetches: packOutputs(fetches),
      targets: BigUint64Array.from(targets, (target) => target.pointer),
    };
  }

  /**
   * Runs a prepared call.
   *
   * @param values one native tensor for each feed; they stay the caller's
   * @param trace when given, receives the serialised RunMetadata of a fully traced run (slow: for profiling)
   * @returns one native tensor for each fetch; the caller must delete them
   * @throws TensorFlowError, or Error when the session is closed
   */
  async run(
    call: Call,
    values: readonly Pointer[],
    trace?: (metadata: Uint8Array) => void,
  ): Promise<Pointer[]> {
    const { c } = this.#library;
    const session = this.#open();
    const inputs = BigUint64Array.from(values);
    const outputs = new BigUint64Array(call.fetches.length / 16);
    const status: Pointer = c.TF_NewStatus();
    const metadata: Pointer | null = trace === undefined ? null : c.TF_NewBuffer();
    const options = trace === undefined ? null : this.#fullTrace();
    const memory = { call, inputs, outputs, options };
    this.#running.add(memory);
    this.#calls++;
    try {
      await new Promise<void>((resolve, reject) => {
        c.TF_SessionRun.async(
          session,
          options?.pointer ?? null,
          call.feeds,
          inputs,
          inputs.length,
          call.fetches,
          outputs,
          outputs.length,
          call.targets,
          call.targets.length,
          metadata,
          status,
          (error: unknown) => (error ? reject(error) : resolve()),
        );
      });
      this.#library.check(call.what, status);
      for (let i = 0; i < outputs.length; i++) adoptTensor();
      if (metadata !== null) trace?.(this.#library.bufferContent(metadata));
      return Array.from(outputs);
    } finally {
      this.#running.delete(memory);
      c.TF_DeleteStatus(status);
      if (metadata !== null) c.TF_DeleteBuffer(metadata);
    }
  }

  deleteTensor(tensor: Pointer): void {
    deleteTensor(this.#library, tensor);
  }

  /** @throws Error when it runs, or is closed already */
  close(): void {
    const { c } = this.#library;
    const session = this.#open();
    if (this.#running.size > 0) throw new Error('a session cannot be closed while it runs');
    this.#pointer = undefined;
    this.#library.checked('close', (status) => c.TF_CloseSession(session, status));
    this.#library.checked('delete', (status) => c.TF_DeleteSession(session, status));
  }

  #open(): Pointer {
    if (this.#pointer === undefined) throw new Error('the TensorFlow session is closed');
    return this.#pointer;
  }

  /** A `TF_Buffer` {data, length, deallocator} on our memory that holds RunOptions{trace_level = FULL_TRACE}. */
  #fullTrace(): { pointer: Uint8Array; keep: Uint8Array } {
    const content = Uint8Array.from([0x08, 0x03]);
    const head = new BigUint64Array([addressOf(content), 2n, 0n]);
    return { pointer: new Uint8Array(head.buffer), keep: content };
  }
}
