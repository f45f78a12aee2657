import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { withLock } from '../../src/core/lock.js';
import {
  birthOf,
  describeOwner,
  isHere,
  lives,
  readOwner,
  self,
  writeOwner,
} from '../../src/core/process.js';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'scrl-lock-'));
  path = join(folder, 'deep', 'lock');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('lets one in at a time, says once who is waited for, and is gone afterwards', async () => {
  let inside = 0;
  const waited: string[] = [];
  const work = async () => {
    expect(++inside).toBe(1);
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ pid: process.pid });
    await new Promise((wake) => setTimeout(wake, 30));
    inside--;
    return 'done';
  };
  const results = await Promise.all([1, 2, 3].map(() => withLock(path, work, (owner) => waited.push(owner))));
  expect(results).toEqual(['done', 'done', 'done']);
  expect(waited.every((owner) => owner === `process ${process.pid}`)).toBe(true);
  expect(existsSync(path)).toBe(false);
});

it('is given back when the work fails', async () => {
  await expect(withLock(path, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await withLock(path, async () => 1)).toBe(1);
});

it.skipIf((await birthOf(process.pid)) === '')(
  'is taken over from a process that had our number before us, as in a restarted container',
  async () => {
    await withLock(path, async () => undefined);
    writeFileSync(path, writeOwner({ ...(await self()), born: '1' }));
    expect(await withLock(path, async () => 'taken')).toBe('taken');
  },
);

describe('a lock whose owner cannot be asked', () => {
  const put = (text: string, age = 0) => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    const then = Date.now() / 1000 - age;
    utimesSync(path, then, then);
  };

  /** A clock that the test sets; each look of the waiter reads it once. */
  function testClock() {
    let [time, looks] = [0, 0];
    const now = () => {
      looks++;
      return time;
    };
    const pass = async (milliseconds: number) => {
      time += milliseconds;
      for (const goal = looks + 2; looks < goal; ) await new Promise((wake) => setTimeout(wake, 5));
    };
    return { now, pass };
  }

  it('is waited for as long as its file is touched, then taken over', async () => {
    put(writeOwner({ ...(await self()), pid: 77, host: 'node-2' }));
    const clock = testClock();
    const said: string[] = [];
    let got = false;
    const work = async () => {
      got = true;
    };
    const taken = withLock(path, work, (owner) => said.push(owner), clock.now);
    await clock.pass(0);
    for (let beat = 1; beat <= 3; beat++) {
      await clock.pass(50_000);
      utimesSync(path, beat, beat);
      await clock.pass(0);
    }
    expect({ got, said }).toEqual({ got: false, said: ['process 77 on node-2'] });
    clock.pass(70_000).catch(() => undefined);
    await taken;
    expect(got).toBe(true);
  });

  it.each([-86_400, 0, 86_400])('is taken over when it was never written, dated %s s ago', async (age) => {
    put('', age);
    const clock = testClock();
    const said: string[] = [];
    const work = async () => 'taken';
    const taken = withLock(path, work, (owner) => said.push(owner), clock.now);
    await clock.pass(0);
    expect(said).toEqual([]);
    await clock.pass(2_000);
    clock.pass(6_000).catch(() => undefined);
    expect(await taken).toBe('taken');
    expect(said).toEqual(['a process that is just starting']);
  });

  it('is no lock of ours because the host has the same name', async () => {
    const elsewhere = { ...(await self()), namespace: 'pid:[1]' };
    expect(isHere(elsewhere)).toBe(false);
    expect(describeOwner(elsewhere)).toContain('in another container of');
    expect(isHere(await self()) && (await lives(await self()))).toBe(true);
    expect(readOwner('{"pid":1,"born":"2","host":"a"}')).toMatchObject({ pid: 1 });
  });
});
