/**
 * Our side of a benchmark as a child process: the same lines as the Python peers (`tools/peers/serving.py`), so that the
 * harness treats both alike and each is idle while the other runs.
 *
 *     on start       {"ready": {"versions": {...}, "threads": 2}}
 *     COUNT words    {"ms": [812.1, 809.7]}       for a request such as `step 2` or `images 32 /tmp/photos`
 *     end of input   serve() returns, and the caller closes what it opened
 */

import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { ProcessInfo } from './bench-process.js';

export interface ServeOptions {
  /** First word of a request: `step` or `images`. */
  command?: string;
  info: ProcessInfo;
  input?: Readable;
  output?: Writable;
}

/**
 * Answers requests until the input ends.
 *
 * @param run does `count` items and returns milliseconds: one number per item, or one mean over all of them.
 *   `argument` is the rest of the request's line, such as a folder
 * @throws Error when a request is not of the form `COMMAND COUNT [ARGUMENT]`, and what `run` throws
 */
export async function serve(
  run: (count: number, argument: string) => Promise<number[]>,
  { command = 'step', info, input = process.stdin, output = process.stdout }: ServeOptions,
): Promise<void> {
  const say = async (message: object): Promise<void> => {
    if (!output.write(`${JSON.stringify(message)}\n`)) await once(output, 'drain');
  };
  await say({ ready: info });
  for await (const line of createInterface({ input })) {
    const [, word, count, argument = ''] = /^(\w+) (\d+)(?: (.*))?$/.exec(line) ?? [];
    if (word !== command)
      throw new Error(`cannot answer ${JSON.stringify(line)}; expected: ${command} COUNT ...`);
    await say({ ms: await run(Number(count), argument) });
  }
}
