/** One side of a comparison: a commit, checked out and built beside this working tree, or the working tree itself. */

import { execFile } from 'node:child_process';
import { readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { UserError } from '../../src/core/errors.js';

const execute = promisify(execFile);
/** Of what a program says. */
const LONGEST_OUTPUT = 2 ** 26;
const LAST_LINES = 15;

export interface Side {
  /** For messages. */
  readonly name: string;
  /** The root of its files. */
  readonly folder: string;
}

/**
 * Checks a commit out into a worktree and builds it there.
 *
 * @param root a working tree of the repository
 * @param revision anything that git takes for a commit; undefined is the working tree, which is built where it is
 * @param folder to be created for the worktree
 * @throws UserError when there is no such commit, or it does not build
 */
export async function openSide(
  root: string,
  revision: string | undefined,
  folder: string,
  signal?: AbortSignal,
): Promise<Side> {
  if (revision === undefined) {
    await call('npm', ['run', '--silent', 'build'], root, 'the working tree does not build', signal);
    return { name: 'working tree', folder: root };
  }
  const commit = await call(
    'git',
    ['rev-parse', '--verify', `${revision}^{commit}`],
    root,
    `${revision}: no such commit`,
  );
  await call(
    'git',
    ['worktree', 'add', '--detach', folder, commit.trim()],
    root,
    `${revision} cannot be checked out`,
  );
  await takePackages(root, folder, signal);
  await call('npm', ['run', '--silent', 'build'], folder, `${revision} does not build`, signal);
  return { name: revision, folder };
}

/** Lets git forget worktrees whose folders are gone. */
export async function forgetWorktrees(root: string): Promise<void> {
  await call('git', ['worktree', 'prune'], root, 'the worktrees cannot be tidied');
}

/** Runs a command of a side's `scrl`. @throws UserError with the end of what it said when it fails */
export async function runSide(
  { name, folder }: Side,
  args: readonly string[],
  signal?: AbortSignal,
): Promise<void> {
  const { bin } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as {
    bin: { scrl: string };
  };
  const problem = `${name}: scrl ${args[0]} failed`;
  await call(process.execPath, [join(folder, bin.scrl), ...args], process.cwd(), problem, signal);
}

/** Links the packages of the working tree, or installs the commit's own when it asks for others. */
async function takePackages(root: string, folder: string, signal?: AbortSignal): Promise<void> {
  const [ours, theirs] = await Promise.all(
    [root, folder].map((path) => readFile(join(path, 'package-lock.json'), 'utf8')),
  );
  if (ours === theirs) return symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  const args = ['install', '--prefer-offline', '--no-save', '--no-fund', '--no-audit'];
  await call('npm', args, folder, 'its packages cannot be installed', signal);
}

/** @returns what the program wrote */
async function call(
  program: string,
  args: readonly string[],
  cwd: string,
  problem: string,
  signal?: AbortSignal,
): Promise<string> {
  try {
    return (await execute(program, args, { cwd, maxBuffer: LONGEST_OUTPUT, ...(signal && { signal }) }))
      .stdout;
  } catch (error) {
    const said = String((error as { stderr?: string }).stderr ?? error).trimEnd();
    throw new UserError(`${problem}\n${said.split('\n').slice(-LAST_LINES).join('\n')}`, { cause: error });
  }
}
