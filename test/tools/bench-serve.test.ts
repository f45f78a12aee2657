/** Our side of the protocol, over streams in memory. */

import { PassThrough, Readable } from 'node:stream';
import { expect, it } from 'vitest';
import { serve } from '../../tools/bench/serve.js';

const INFO = { versions: { scrl: '1' }, threads: 2 };

async function converse(lines: string[], command?: string) {
  const output = new PassThrough();
  const asked: [number, string][] = [];
  const run = async (count: number, argument: string) => {
    asked.push([count, argument]);
    return Array.from({ length: count }, (_, i) => i + 0.5);
  };
  const input = Readable.from(lines.map((line) => `${line}\n`));
  const failure = await serve(run, {
    info: INFO,
    input,
    output,
    ...(command !== undefined && { command }),
  }).then(
    () => undefined,
    (error: Error) => error.message,
  );
  output.end();
  const answers = (await output.toArray()).join('').trimEnd().split('\n');
  return { asked, failure, answers: answers.map((line) => JSON.parse(line)) };
}

it('says that it is ready, answers each request, and returns at the end of the input', async () => {
  const { answers, asked, failure } = await converse(['step 2', 'step 1']);
  expect(answers).toEqual([{ ready: INFO }, { ms: [0.5, 1.5] }, { ms: [0.5] }]);
  expect(asked).toEqual([
    [2, ''],
    [1, ''],
  ]);
  expect(failure).toBeUndefined();
});

it('says that it is ready even when nothing is asked', async () => {
  expect((await converse([])).answers).toEqual([{ ready: INFO }]);
});

it('hands over the rest of the line, blanks included', async () => {
  const { asked } = await converse(['images 3 /tmp/my  photos'], 'images');
  expect(asked).toEqual([[3, '/tmp/my  photos']]);
});

it.each(['step', 'step two', 'images 2', ''])('refuses %j', async (line) => {
  const { failure, asked } = await converse([line]);
  expect(failure).toBe(`cannot answer ${JSON.stringify(line)}; expected: step COUNT ...`);
  expect(asked).toEqual([]);
});
