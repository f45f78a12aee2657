/**
 * The folder in which a run keeps everything it writes, and how it gets its number.
 *
 * As in the reference implementation the folder is `<top_dir>/runs/<config_name>_<NNN>` with the first free number from
 * 000, or `--save_dir`. Differences: two runs that start at once never get the same number; `--overwrite` without an
 * earlier run makes 000 (the reference makes `_-01`), and with earlier ones takes the highest number even if there are
 * gaps. In a distributed run only rank 0 calls this and tells the others.
 */

import { execFile } from 'node:child_process';
import { appendFile, mkdir, readdir, rm, rmdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { hasCode } from '../core/errors.js';
import { explainWriteError } from '../core/fs.js';
import type { Log } from '../core/log.js';
import { lockRunFolder } from './run-lock.js';

const COMMIT_FILE = 'git_head_hash';

export interface RunFolderOptions {
  topDir: string;
  /** Base name of the YAML file, without its extension. */
  configName: string;
  /** Takes the place of the numbered folder; may exist. */
  saveDir?: string;
  /** Use the latest numbered folder again instead of a new one. */
  overwrite?: boolean;
  /** Whose git commit is noted; default the current directory. */
  sourceDir?: string;
  /** Told when another process is waited for. */
  log?: Log;
}

export interface RunFolder {
  /** Absolute. */
  path: string;
  /** Whether it was there before. Its old files are still there. */
  existed: boolean;
  /** Lets other processes use the folder. */
  release(): Promise<void>;
  /** After `release`: removes the folder, if it was made here and nothing but the commit was written. */
  discard(): Promise<void>;
}

/**
 * Chooses and creates the folder, takes it for this process alone, and appends the commit of the checkout, if there is
 * one, to `git_head_hash`.
 *
 * @throws UserError when the folder cannot be created or another process is using it
 */
export async function openRunFolder(options: RunFolderOptions): Promise<RunFolder> {
  const { topDir, configName, saveDir, overwrite = false, sourceDir = process.cwd(), log } = options;
  const base = resolve(topDir, 'runs', configName);
  const reused = saveDir === undefined ? overwrite && (await latest(base)) : resolve(saveDir);
  let path: string;
  let existed = false;
  if (reused) {
    path = reused;
    existed = !(await makeFolder(path, true));
  } else {
    path = await createNumbered(base);
  }
  const release = await lockRunFolder(path, log);
  try {
    await noteCommit(path, sourceDir);
  } catch (error) {
    await release();
    throw error;
  }
  return { path, existed, release, discard: async () => (existed ? undefined : removeEmpty(path)) };
}

/** `mkdir` without `recursive` fails when the folder exists: so each number goes to one process only. */
async function createNumbered(base: string): Promise<string> {
  await makeFolder(dirname(base), true);
  for (let number = 0; ; number++) {
    const path = `${base}_${String(number).padStart(3, '0')}`;
    if (await makeFolder(path, false)) return path;
  }
}

/** False when there was something already; with `recursive` that must be a folder. */
async function makeFolder(path: string, recursive: boolean): Promise<boolean> {
  try {
    const created = await mkdir(path, { recursive });
    return !recursive || created !== undefined;
  } catch (error) {
    if (!recursive && hasCode(error, 'EEXIST')) return false;
    throw explainWriteError(path, error);
  }
}

/** `rmdir`, so that nothing goes which another process wrote meanwhile. */
async function removeEmpty(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => undefined);
  if (names === undefined || names.some((name) => name !== COMMIT_FILE)) return;
  await rm(join(folder, COMMIT_FILE), { force: true });
  await rmdir(folder).catch((error) => {
    if (!hasCode(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT')) throw explainWriteError(folder, error);
  });
}

/** The folder with the highest number, undefined when there is none. */
async function latest(base: string): Promise<string | undefined> {
  const runs = dirname(base);
  const prefix = `${basename(base)}_`;
  const entries = await readdir(runs, { withFileTypes: true }).catch((error) => {
    if (hasCode(error, 'ENOENT')) return [];
    throw explainWriteError(runs, error);
  });
  const suffixes = entries
    .filter((entry) => entry.isDirectory() && entry.name.startsWith(prefix))
    .map((entry) => entry.name.slice(prefix.length))
    .filter((suffix) => /^\d{3,}$/.test(suffix))
    .sort((a, b) => Number(a) - Number(b));
  const last = suffixes.at(-1);
  return last === undefined ? undefined : join(runs, prefix + last);
}

/** Without git, or outside a checkout, or before its first commit, there is nothing to note. */
async function noteCommit(folder: string, sourceDir: string): Promise<void> {
  const commit = await promisify(execFile)('git', ['rev-parse', '--verify', 'HEAD'], { cwd: sourceDir }).then(
    ({ stdout }) => stdout.trim(),
    () => undefined,
  );
  if (commit === undefined) return;
  const path = join(folder, COMMIT_FILE);
  await appendFile(path, `${commit}\n`).catch((error) => {
    throw explainWriteError(path, error);
  });
}
