import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { withLock } from '../../src/core/lock.js';
import { birthOf } from '../../src/core/process.js';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'scrl-lock-'));
  path = join(folder, 'deep', 'lock');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('lets one in at a time, says once who is waited for, and is gone afterwards', async () => {
  let inside = 0;
  const waited: number[] = [];
  const work = async () => {
    expect(++inside).toBe(1);
    expect(readFileSync(path, 'utf8')).toMatch(new RegExp(`^${process.pid} `));
    await new Promise((wake) => setTimeout(wake, 30));
    inside--;
    return 'done';
  };
  const results = await Promise.all([1, 2, 3].map(() => withLock(path, work, (owner) => waited.push(owner))));
  expect(results).toEqual(['done', 'done', 'done']);
  expect(waited.every((owner) => owner === process.pid)).toBe(true);
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
    writeFileSync(path, `${process.pid} 1\n`);
    expect(await withLock(path, async () => 'taken')).toBe('taken');
  },
);
