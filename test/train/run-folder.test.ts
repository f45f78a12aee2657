import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { UserError } from '../../src/core/errors.js';
import { openRunFolder, type RunFolderOptions } from '../../src/train/run-folder.js';

let top: string;
beforeEach(() => {
  top = realpathSync(mkdtempSync(join(tmpdir(), 'scrl-run-folder-')));
  // The checkout in which the tests themselves may run must not be found.
  vi.stubEnv('GIT_CEILING_DIRECTORIES', dirname(top));
  vi.stubEnv('GIT_DIR', undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
  chmodSync(top, 0o755);
  rmSync(top, { recursive: true });
});

async function open(options: Partial<RunFolderOptions> = {}) {
  return openRunFolder({ topDir: top, configName: 'tiny', sourceDir: top, ...options });
}

const run = (name: string): string => join(top, 'runs', name);

describe('openRunFolder', () => {
  it('numbers from 000 and takes the first free number', async () => {
    expect((await open()).path).toBe(run('tiny_000'));
    expect((await open()).path).toBe(run('tiny_001'));
    expect((await open({ configName: 'other' })).path).toBe(run('other_000'));
    mkdirSync(run('tiny_003'));
    writeFileSync(run('tiny_002'), 'a file is in the way, too');
    expect(await open()).toMatchObject({ path: run('tiny_004'), existed: false });
  });

  it('goes on after 999', async () => {
    for (let i = 0; i < 1000; i++) mkdirSync(run(`tiny_${String(i).padStart(3, '0')}`), { recursive: true });
    expect((await open()).path).toBe(run('tiny_1000'));
    expect((await open()).path).toBe(run('tiny_1001'));
  });

  it('gives every one of many runs that start at once a folder of its own', async () => {
    const folders = await Promise.all(Array.from({ length: 12 }, () => open()));
    const expected = Array.from({ length: 12 }, (_, i) => run(`tiny_${String(i).padStart(3, '0')}`));
    expect(folders.map(({ path }) => path).sort()).toEqual(expected);
  });

  it('overwrites the highest number, and begins with 000 when there is none', async () => {
    const first = await open({ overwrite: true });
    expect(first).toMatchObject({ path: run('tiny_000'), existed: false });
    await first.release();
    for (const name of ['tiny_002', 'tiny_010', 'tiny_big_011', 'tiny_x']) mkdirSync(run(name));
    writeFileSync(run('tiny_020'), 'not a folder');
    writeFileSync(join(run('tiny_010'), 'config.yaml'), 'kept');
    expect(await open({ overwrite: true })).toMatchObject({ path: run('tiny_010'), existed: true });
    expect(readFileSync(join(run('tiny_010'), 'config.yaml'), 'utf8')).toBe('kept');
  });

  it('takes a folder given by name, new or old', async () => {
    const saveDir = join(top, 'a', 'b');
    const first = await open({ saveDir });
    expect(first).toMatchObject({ path: saveDir, existed: false });
    await first.release();
    expect(await open({ saveDir, overwrite: true })).toMatchObject({ path: saveDir, existed: true });
    expect(existsSync(join(top, 'runs'))).toBe(false);
  });

  it('lets nobody else in until it is released', async () => {
    const saveDir = join(top, 'run');
    const first = await open({ saveDir });
    await expect(open({ saveDir })).rejects.toThrow(
      `${saveDir}: process ${process.pid} is using this run folder\n  wait for it, stop it, or choose another --save_dir`,
    );
    await first.release();
    expect(readdirSync(saveDir)).toEqual([]);
    await (await open({ saveDir })).release();
  });

  it('notes the commit at every start', async () => {
    const saveDir = join(top, 'run');
    const sourceDir = join(top, 'source');
    const commit = '0123456789abcdef0123456789abcdef01234567';
    mkdirSync(sourceDir);
    execFileSync('git', ['init', '--quiet', sourceDir]);
    await (await open({ saveDir, sourceDir })).release();
    expect(readdirSync(saveDir)).toEqual([]);
    // A checkout of a commit rather than of a branch.
    writeFileSync(join(sourceDir, '.git', 'HEAD'), `${commit}\n`);
    await (await open({ saveDir, sourceDir })).release();
    await (await open({ saveDir, sourceDir })).release();
    expect(readFileSync(join(saveDir, 'git_head_hash'), 'utf8')).toBe(`${commit}\n${commit}\n`);
  });

  it('notes nothing outside a checkout', async () => {
    const { path } = await open();
    expect(readdirSync(path)).toEqual(['run.lock']);
  });

  it('explains a file where a folder is needed', async () => {
    writeFileSync(join(top, 'runs'), '');
    await expect(open()).rejects.toThrow(UserError);
    await expect(open({ saveDir: join(top, 'runs') })).rejects.toThrow(
      'a file stands where a folder is needed',
    );
    await expect(open({ overwrite: true })).rejects.toThrow(UserError);
  });

  it.skipIf(process.getuid?.() === 0)(
    'explains a folder that cannot be written (root may write everywhere)',
    async () => {
      mkdirSync(join(top, 'run'));
      chmodSync(join(top, 'run'), 0o555);
      chmodSync(top, 0o555);
      await expect(open()).rejects.toThrow('cannot be written: permission denied or read-only');
      await expect(open({ saveDir: join(top, 'run') })).rejects.toThrow(
        'choose a folder that you may write to',
      );
    },
  );
});
