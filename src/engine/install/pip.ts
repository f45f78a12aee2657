/**
 * Downloads wheels with pip: it honours the user's mirrors, proxies and certificates, and every machine with Python has
 * it. Nothing is installed into Python.
 */

import { spawn } from 'node:child_process';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../core/errors.js';
import { wheelTags } from './packages.js';

export type Pip = readonly string[];

export interface PipDownload {
  /** As pip takes them, e.g. `tensorflow-cpu==2.21.0`. */
  requirements: readonly string[];
  /** An empty folder for the wheels. pip's temporary files go there too, so that one disk needs the space. */
  folder: string;
  /** About how much will come. */
  expectedBytes: number;
  onProgress: (done: number, total: number) => void;
  /** What to do when it fails, as an instruction. */
  remedy: string;
}

const OFFLINE =
  /NewConnectionError|Failed to establish a new connection|name resolution|ConnectTimeout|Read timed out|ProxyError|SSLError|Network is unreachable/i;
const NO_SUCH_VERSION = /No matching distribution|Could not find a version/;
const DISK_FULL = /No space left on device|Disk quota exceeded/;
const UNITS: Record<string, number> = { kB: 1e3, MB: 1e6, GB: 1e9 };
const WATCH_MILLISECONDS = 200;

/**
 * Downloads the wheels for this machine; where the index has none for the usual Python, those for the user's Python.
 *
 * @returns their paths
 * @throws UserError when pip fails, with its own last lines
 */
export async function pipDownload(pip: Pip, options: PipDownload): Promise<string[]> {
  const { requirements, folder, remedy } = options;
  // pip's cache would need the same space again, and old versions of pip hold a file that they cache in memory.
  const fixed = [
    'download',
    '--no-deps',
    '--only-binary=:all:',
    '--no-cache-dir',
    '--no-input',
    '--dest',
    folder,
  ];
  let output = '';
  for (const tags of [wheelTags(), []]) {
    const result = await watched(pip, [...fixed, ...tags, ...requirements], options);
    output = result.output;
    if (result.code === 0) return wheelsIn(folder);
    if (OFFLINE.test(output) || !NO_SUCH_VERSION.test(output)) break;
  }
  throw new UserError(`${explain(output)}\n${lastLines(output)}`, { where: requirements.join(' '), remedy });
}

function explain(output: string): string {
  if (DISK_FULL.test(output)) return 'no space left on the disk while pip was downloading';
  if (OFFLINE.test(output)) return 'pip could not reach the package index';
  if (NO_SUCH_VERSION.test(output)) return 'the package index of your pip does not have it for this machine';
  return 'pip could not download it';
}

async function wheelsIn(folder: string): Promise<string[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.whl'));
  if (names.length === 0) throw new Error(`pip reported success but left no wheel in ${folder}`);
  return names.sort().map((name) => join(folder, name));
}

/** A command line that runs pip. @param folder an empty one to start it in @returns undefined when there is none */
export async function findPip(folder: string): Promise<Pip | undefined> {
  for (const command of [['python3', '-m', 'pip'], ['pip3'], ['pip'], ['python', '-m', 'pip']]) {
    const { code } = await run(command, ['--version'], { folder, env: process.env }, () => undefined);
    if (code === 0) return command;
  }
  return undefined;
}

/** Runs pip and reports how its files grow. */
async function watched(
  pip: Pip,
  args: string[],
  { folder, expectedBytes, onProgress }: PipDownload,
): Promise<PipResult> {
  let announced = 0;
  const total = () => Math.max(expectedBytes, announced);
  // While pip moves a file into place it is there twice, so what is there may be more than the total.
  const timer = setInterval(() => {
    void bytesIn(folder).then((done) => onProgress(Math.min(done, total()), total()));
  }, WATCH_MILLISECONDS);
  const env = { ...process.env, TMPDIR: folder, PIP_DISABLE_PIP_VERSION_CHECK: '1' };
  try {
    const result = await run(pip, args, { folder, env }, (line) => {
      const size = /^\s*Downloading .*\(([\d.]+) (kB|MB|GB)\)/.exec(line);
      if (size !== null) announced += Number(size[1]) * UNITS[size[2]];
    });
    if (result.code === 0) {
      const done = await bytesIn(folder);
      onProgress(done, done);
    }
    return result;
  } finally {
    clearInterval(timer);
  }
}

interface PipResult {
  /** `undefined` when the program is not there or was killed. */
  code: number | undefined;
  /** The end of what it printed. */
  output: string;
}

function run(
  [program, ...first]: Pip,
  args: string[],
  { folder, env }: { folder: string; env: NodeJS.ProcessEnv },
  onLine: (line: string) => void,
): Promise<PipResult> {
  return new Promise((resolve) => {
    // `python -m` looks for pip in the current folder first: not in the user's, where anybody's `pip.py` may lie.
    const child = spawn(program, [...first, ...args], {
      cwd: folder,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      let line = '';
      stream.setEncoding('utf8').on('data', (text: string) => {
        output = (output + text).slice(-20_000);
        const lines = (line + text).split('\n');
        line = lines.pop() ?? '';
        lines.forEach(onLine);
      });
    }
    child.on('error', ({ message }) => resolve({ code: undefined, output: message }));
    child.on('close', (code) => resolve({ code: code ?? undefined, output }));
  });
}

function lastLines(output: string): string {
  const lines = output.trim().split('\n').slice(-6);
  return lines.map((line) => `    ${line}`).join('\n');
}

/** Bytes of all files below a folder. Files come and go meanwhile. */
async function bytesIn(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true }).catch(() => []);
  let sum = 0;
  for (const entry of entries) {
    const status = await stat(join(folder, entry)).catch(() => undefined);
    if (status?.isFile() === true) sum += status.size;
  }
  return sum;
}
