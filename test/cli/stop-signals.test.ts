/** What signals do to a process, by small programs of their own. */

import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';

const DIST = new URL('../../dist/src/', import.meta.url).href;
const HEAD = `
import { givesUp, stopsAfterSaving } from '${DIST}cli/stop-signals.js';
import { replaceWhole } from '${DIST}core/replace.js';
import { writeFile } from 'node:fs/promises';
const say = (text) => process.stdout.write(text + '\\n');
const sleep = (seconds) => new Promise((wake) => setTimeout(wake, 1000 * seconds));
`;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scrl-signals-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Runs a program and sends it signals, each when it says that it is ready for the next. */
async function outcome(program: string, signals: readonly NodeJS.Signals[]) {
  const child = spawn(process.execPath, ['--input-type=module', '-e', HEAD + program], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const waiting = [...signals];
  let said = '';
  child.stdout.on('data', (data: Buffer) => {
    for (const line of data.toString().trim().split('\n')) {
      if (line === 'ready') child.kill(waiting.shift());
      else said += line;
    }
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, said };
}

const SAVING = `
await stopsAfterSaving(async (signal) => {
  const timer = setTimeout(() => undefined, 60_000);
  const stopped = new Promise((resolve) => signal.addEventListener('abort', resolve));
  say('ready');
  await stopped;
  clearTimeout(timer);
  say('saved after ' + signal.reason);
  return true;
});`;

it.each([
  ['SIGHUP', 129],
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s: what listens saves, and the exit code is %i', async (signal, code) => {
  expect(await outcome(SAVING, [signal])).toEqual({ code, said: `saved after ${signal}` });
});

it('a second signal ends the process at once', async () => {
  const program = `
await stopsAfterSaving(async (signal) => {
  signal.addEventListener('abort', () => say('ready'));
  say('ready');
  await sleep(60);
  say('too late');
});`;
  expect(await outcome(program, ['SIGTERM', 'SIGINT'])).toEqual({ code: 130, said: '' });
});

it('where nobody listens, the first does', async () => {
  const program = `await stopsAfterSaving(async () => { say('ready'); await sleep(60); say('too late'); });`;
  expect(await outcome(program, ['SIGINT'])).toEqual({ code: 130, said: '' });
});

it('work that ends by itself leaves no listeners and no exit code', async () => {
  const program = `
await stopsAfterSaving(async () => false);
await givesUp(async () => undefined);
say(String(process.listenerCount('SIGINT') + process.listenerCount('SIGHUP')));`;
  expect(await outcome(program, [])).toEqual({ code: 0, said: '0' });
});

it('a file that is being written is gone when the process is', async () => {
  const program = `
await givesUp((signal) => replaceWhole('x.npz', { signal }, async (temporary) => {
  await writeFile(temporary, 'half of it');
  say('ready');
  await sleep(60);
}));`;
  expect(await outcome(program, ['SIGTERM'])).toEqual({ code: 143, said: '' });
  expect(readdirSync(folder)).toEqual([]);
});

it('in a library the writer learns the reason, and nothing is left either', async () => {
  const program = `
const controller = new AbortController();
const writing = replaceWhole('y.npz', { signal: controller.signal }, async (temporary) => {
  await writeFile(temporary, 'half of it');
  controller.abort('enough');
});
await writing.catch((error) => say(error));`;
  expect(await outcome(program, [])).toEqual({ code: 0, said: 'enough' });
  expect(readdirSync(folder)).toEqual([]);
});
