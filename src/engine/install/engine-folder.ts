/**
 * An installed runtime: a folder with the libraries and `engine.json`, which says what they are. Looking one up is cheap
 * (sizes are compared, 850 MB are not hashed), as every command does it.
 */

import { readdir, readFile, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { hasCode, UserError } from '../../core/errors.js';
import { cacheFolder } from '../../core/fs.js';
import { inspectLibrary } from './shared-library.js';

export type Variant = 'cpu' | 'cuda';

/** What `engine.json` records. */
export interface Manifest {
  variant: Variant;
  version: string;
  /** Where it came from: a package and version, or a path. */
  source: string;
  platform: string;
  arch: string;
  /** Files by path relative to the folder. */
  files: Record<string, { bytes: number; sha256: string }>;
  /** What must be loaded before the framework library, in order; relative paths. */
  preload: string[];
}

export interface InstalledEngine {
  folder: string;
  variant: Variant;
  /** `unknown` for a library that was not installed by scrl. */
  version: string;
  source: string;
  /** Shared libraries in load order. */
  libraries: string[];
}

export const MANIFEST = 'engine.json';

/** File names of the main library and of the framework library that it needs, by platform. */
const MAIN = /^libtensorflow(_cc)?(\.so\.2|\.2\.dylib)$/;
const FRAMEWORK = /^libtensorflow_framework(\.so\.2|\.2\.dylib)$/;

/** Members of an archive that make up the runtime. */
export function isEngineFile(name: string): boolean {
  return MAIN.test(name) || FRAMEWORK.test(name);
}

export function enginesFolder(): string {
  return join(cacheFolder(), 'engine');
}

/**
 * The libraries in a folder, in load order.
 *
 * @throws UserError when there is no main library
 */
export async function librariesIn(folder: string): Promise<string[]> {
  const names = (await readdir(folder).catch(() => [] as string[])).filter(isEngineFile);
  const main = names.find((name) => MAIN.test(name));
  if (main === undefined) {
    throw new UserError('holds no TensorFlow library', {
      where: folder,
      remedy: 'expected libtensorflow_cc.so.2 or libtensorflow.so.2 (on macOS the .2.dylib)',
    });
  }
  const framework = names.filter((name) => FRAMEWORK.test(name));
  return [...framework, main].map((name) => join(folder, name));
}

/**
 * Finds a runtime: `$SCRL_TENSORFLOW` (a folder or a library), else an installed one, else the one that an installed
 * tfjs-node(-gpu) has downloaded.
 *
 * @param preferCuda take a CUDA runtime if one is installed
 * @throws UserError when `$SCRL_TENSORFLOW` is set and wrong
 */
export async function findEngine(preferCuda: boolean): Promise<InstalledEngine | undefined> {
  const given = process.env.SCRL_TENSORFLOW;
  if (given !== undefined && given !== '') return fromUser(given);
  const installed = await installedEngines();
  const wanted = installed.find(({ variant }) => (variant === 'cuda') === preferCuda);
  return wanted ?? installed[0] ?? (await fromTfjs());
}

/** Installed runtimes, the newest version first. Damaged ones are left out. */
export async function installedEngines(): Promise<InstalledEngine[]> {
  const root = enginesFolder();
  const names = await readdir(root).catch(() => [] as string[]);
  const found: InstalledEngine[] = [];
  for (const name of names.filter((name) => !name.endsWith('.tmp')).sort()) {
    const engine = await readEngine(join(root, name));
    if (engine !== undefined) found.push(engine);
  }
  return found.reverse();
}

/** The runtime in a folder; undefined when it is incomplete. */
export async function readEngine(folder: string): Promise<InstalledEngine | undefined> {
  const text = await readFile(join(folder, MANIFEST), 'utf8').catch((error) => {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const manifest = JSON.parse(text) as Manifest;
  for (const [name, { bytes }] of Object.entries(manifest.files)) {
    const size = await stat(join(folder, name)).then(
      ({ size }) => size,
      () => -1,
    );
    if (size !== bytes) return undefined;
  }
  const { variant, version, source, preload } = manifest;
  const libraries = [...preload.map((name) => join(folder, name)), ...(await librariesIn(folder))];
  return { folder, variant, version, source, libraries };
}

async function fromUser(path: string): Promise<InstalledEngine> {
  const isFolder = (await stat(path).catch(() => undefined))?.isDirectory();
  const where = '$SCRL_TENSORFLOW';
  if (isFolder === undefined) {
    throw new UserError('there is no such file or folder', {
      where,
      value: path,
      remedy: 'unset it, or let it name the folder of libtensorflow_cc.so.2',
    });
  }
  const folder = isFolder ? path : dirname(path);
  const libraries = await librariesIn(folder);
  const library = libraries[libraries.length - 1];
  await checkArchitecture(library);
  return { folder, variant: 'cpu', version: 'unknown', source: `${where}=${path}`, libraries };
}

async function fromTfjs(): Promise<InstalledEngine | undefined> {
  const require = createRequire(import.meta.url);
  for (const name of ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node']) {
    let root: string;
    try {
      root = dirname(require.resolve(`${name}/package.json`));
    } catch {
      continue;
    }
    const folder = join(root, 'deps', 'lib');
    const libraries = await librariesIn(folder).catch(() => undefined);
    if (libraries === undefined) continue;
    return {
      folder,
      variant: name.endsWith('gpu') ? 'cuda' : 'cpu',
      version: 'unknown',
      source: name,
      libraries,
    };
  }
  return undefined;
}

/** @throws UserError when the library is for another processor, naming both */
export async function checkArchitecture(path: string): Promise<void> {
  const { arch } = await inspectLibrary(path);
  if (arch !== process.arch) {
    throw new UserError(`is a library for ${arch}, but this machine is ${process.arch}`, {
      where: path,
      remedy: 'use the library that was built for this machine',
    });
  }
}
