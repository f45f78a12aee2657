/** What a test starts does not outlive it, and neither does what that started. */

import { once } from 'node:events';
import { expect, it } from 'vitest';
import { startProcess } from './child-processes.js';

const WAITS = 'setInterval(() => undefined, 1000);';
const STARTS_ANOTHER = `
  require('node:child_process').spawn(process.execPath, ['-e', '${WAITS}'], { stdio: 'inherit' });
  console.log('ready');
  ${WAITS}`;

let closed: Promise<unknown[]>;

it('a process with one of its own', async () => {
  const child = startProcess(process.execPath, ['-e', STARTS_ANOTHER], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  closed = once(child, 'close');
  if (child.stdout === null) throw new Error('there is no output');
  expect(String(await once(child.stdout, 'data'))).toBe('ready\n');
});

it('is gone with its test: nobody holds their common output open', async () => {
  const [code, signal] = await closed;
  expect([code, signal]).toEqual([null, 'SIGKILL']);
}, 10_000);
