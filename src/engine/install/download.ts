/**
 * Downloads the wheel that holds the library, with pip: it honours the user's mirrors, proxies and certificates, and every
 * machine with Python has it. Nothing is installed into Python; any Python's wheel holds the same library.
 */

import { spawn } from 'node:child_process';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../core/errors.js';
import type { InstallProgress } from './install.js';

export interface Package {
  name: string;
  version: string;
  /** About, for the announcement and the free space needed. */
  downloadBytes: number;
  installedBytes: number;
}

/** Tags of wheels that fit this machine whatever its Python is; the newest first. */
const PYTHON_VERSION = '3.12';
const PLATFORMS: Record<string, string[]> = {
  'linux-x64': ['manylinux_2_27_x86_64', 'manylinux_2_17_x86_64', 'manylinux2014_x86_64'],
  'linux-arm64': ['manylinux_2_27_aarch64', 'manylinux_2_17_aarch64', 'manylinux2014_aarch64'],
  'darwin-arm64': ['macosx_12_0_arm64'],
};

/** The package for this machine. @throws UserError for a machine that no wheel exists for */
export function enginePackage(cuda: boolean): Package {
  const machine = `${process.platform}-${process.arch}`;
  const version = '2.21.0';
  if (PLATFORMS[machine] === undefined || (cuda && machine !== 'linux-x64')) {
    throw new UserError(`there is no ${cuda ? 'CUDA ' : ''}runtime for ${machine}`, {
      remedy: 'build TensorFlow for it, and use: scrl engine install --from FOLDER',
    });
  }
  if (cuda) return { name: 'tensorflow', version, downloadBytes: 600e6, installedBytes: 1_900e6 };
  // Only for Linux on x86 is the CPU build a package of its own.
  const name = machine === 'linux-x64' ? 'tensorflow-cpu' : 'tensorflow';
  return { name, version, downloadBytes: 274e6, installedBytes: 855e6 };
}

/**
 * Downloads a wheel into `folder`.
 *
 * @returns its path
 * @throws UserError when pip is missing or fails, with pip's own last lines
 */
export async function downloadWheel(
  requirement: string,
  folder: string,
  expectedBytes: number,
  onProgress: (progress: InstallProgress) => void,
): Promise<string> {
  const pip = await findPip();
  const platforms = PLATFORMS[`${process.platform}-${process.arch}`].flatMap((tag) => ['--platform', tag]);
  const tags = ['--python-version', PYTHON_VERSION, '--implementation', 'cp', ...platforms];
  const args = ['download', '--no-deps', '--only-binary=:all:', '--no-cache-dir', '--dest', folder, ...tags];
  const watch = setInterval(() => {
    void folderBytes(folder).then((done) =>
      onProgress({ stage: 'downloading', done: Math.min(done, expectedBytes), total: expectedBytes }),
    );
  }, 200);
  const result = await run(pip, [...args, requirement], { ...process.env, TMPDIR: folder }).finally(() =>
    clearInterval(watch),
  );
  if (result.code !== 0) {
    throw new UserError(`pip could not download ${requirement}:\n${lastLines(result.output)}`, {
      remedy: `download the wheel on a machine with network (pip ${args.slice(0, 3).join(' ')} ${tags.join(' ')} ${requirement}), then: scrl engine install --from WHEEL`,
    });
  }
  const wheel = (await readdir(folder)).find((name) => name.endsWith('.whl'));
  if (wheel === undefined) throw new Error(`pip reported success but left no wheel in ${folder}`);
  return join(folder, wheel);
}

/** A command line that runs pip. */
async function findPip(): Promise<string[]> {
  for (const command of [['python3', '-m', 'pip'], ['pip3'], ['pip'], ['python', '-m', 'pip']]) {
    const { code } = await run(command, ['--version'], process.env).catch(() => ({ code: -1 }));
    if (code === 0) return command;
  }
  throw new UserError('pip was not found; it downloads the TensorFlow library', {
    remedy: 'install Python with pip, or get the wheel otherwise and use: scrl engine install --from WHEEL',
  });
}

function run(
  [program, ...first]: string[],
  args: string[],
  env: NodeJS.ProcessEnv,
): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...first, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (data: Buffer) => {
        output = (output + data.toString()).slice(-20_000);
      });
    }
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output }));
  });
}

function lastLines(output: string): string {
  const lines = output.trim().split('\n');
  return lines
    .slice(-6)
    .map((line) => `    ${line}`)
    .join('\n');
}

/** Bytes of all files below a folder: pip writes into temporary files there. */
async function folderBytes(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const sizes = await Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map((entry) =>
        stat(join(entry.parentPath, entry.name)).then(
          ({ size }) => size,
          () => 0,
        ),
      ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
