import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockRunFolder } from '../../src/train/run-lock.js';

let folder: string;
let other: ChildProcess | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'scrl-run-lock-'));
});
afterEach(() => {
  other?.kill('SIGKILL');
  other = undefined;
  rmSync(folder, { recursive: true });
});

const path = (): string => join(folder, 'run.lock');
const owner = (): { pid: number; host: string; born: string } => JSON.parse(readFileSync(path(), 'utf8'));
const pretend = (changes: object): void => writeFileSync(path(), JSON.stringify({ ...owner(), ...changes }));

describe('lockRunFolder', () => {
  it('leaves one file, and nothing afterwards', async () => {
    const release = await lockRunFolder(folder);
    expect(readdirSync(folder)).toEqual(['run.lock']);
    expect(owner()).toMatchObject({ pid: process.pid, host: hostname() });
    await release();
    await release();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('takes over the lock of a process that is gone', async () => {
    const gone = spawnSync(process.execPath, ['--version']).pid;
    await lockRunFolder(folder);
    pretend({ pid: gone });
    await lockRunFolder(folder);
    expect(owner().pid).toBe(process.pid);
  });

  it('respects a process that lives', async () => {
    other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    const pid = other.pid as number;
    await lockRunFolder(folder);
    const stat = process.platform === 'linux' ? readFileSync(`/proc/${pid}/stat`, 'utf8') : undefined;
    const born = stat?.replace(/^.*\) /, '').split(' ')[19] ?? '';
    pretend({ pid, born });
    await expect(lockRunFolder(folder)).rejects.toThrow(`process ${pid} is using this run folder`);
  });

  it.runIf(process.platform === 'linux')('sees that a process id has gone to another process', async () => {
    await lockRunFolder(folder);
    pretend({ born: '1' });
    await lockRunFolder(folder);
    expect(owner().born).not.toBe('1');
  });

  it('cannot know about other hosts, and says what to do', async () => {
    await lockRunFolder(folder);
    pretend({ pid: 77, host: 'node-2' });
    await expect(lockRunFolder(folder)).rejects.toThrow(
      `process 77 on node-2 is using this run folder\n  wait for it, stop it, or choose another --save_dir; ` +
        `if it no longer runs, delete ${path()}`,
    );
  });

  it('lets one of several in when a dead lock is found by all at once', async () => {
    const gone = spawnSync(process.execPath, ['--version']).pid;
    await lockRunFolder(folder);
    pretend({ pid: gone });
    const results = await Promise.allSettled(Array.from({ length: 5 }, () => lockRunFolder(folder)));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it.each(['', 'garbage', '{}', 'null'])('takes %j for no lock', async (text) => {
    writeFileSync(path(), text);
    await lockRunFolder(folder);
    expect(owner().pid).toBe(process.pid);
  });

  it('does not remove a lock that has become another process’s', async () => {
    const release = await lockRunFolder(folder);
    pretend({ pid: 77, host: 'node-2' });
    await release();
    expect(owner().pid).toBe(77);
  });
});
