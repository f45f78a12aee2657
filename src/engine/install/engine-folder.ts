/**
 * Finds the TensorFlow runtime. Every command does it, so it is cheap: of an installed one the file sizes are compared
 * with `engine.json`, and nothing is hashed or loaded.
 */

import { readdir, readFile, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { hasCode, UserError } from '../../core/errors.js';
import { cacheFolder } from '../../core/fs.js';
import {
  findLibraries,
  type Libraries,
  librariesBeside,
  realName,
  type Variant,
  versionInName,
} from './library-files.js';
import { type FileRecord, sizesMatch } from './save-file.js';
import { checkMachine } from './verify.js';

/** What `engine.json` records. */
export interface Manifest {
  variant: Variant;
  version: string;
  /** Where it came from: a package and version, or a path. */
  source: string;
  platform: string;
  arch: string;
  /** When, in ISO 8601. */
  installed: string;
  /** Files by path relative to the folder. */
  files: Record<string, FileRecord>;
  /** What must be loaded before TensorFlow, in order; relative paths. */
  preload: string[];
}

export interface InstalledEngine {
  folder: string;
  /** `unknown` for a library that was not installed by scrl. */
  variant: Variant | 'unknown';
  /** `unknown` where nothing but the library itself could tell. */
  version: string;
  source: string;
  /** The library with the C API. */
  ccLibrary: string;
  frameworkLibrary?: string;
  /** CUDA libraries to be loaded first, in order. */
  preload: string[];
  /** All of these in load order. */
  libraries: string[];
}

export const MANIFEST = 'engine.json';
/** What helps where the disk is too small for an engine. */
export const OTHER_DISK = 'set SCRL_HOME to a folder on another disk';
const VARIABLE = 'SCRL_TENSORFLOW';

export function enginesFolder(): string {
  return join(cacheFolder(), 'engine');
}

/**
 * Finds a runtime: `$SCRL_TENSORFLOW` (a folder or a library), else an installed one, else the one that an installed
 * tfjs-node(-gpu) has downloaded.
 *
 * @param preferCuda take a CUDA runtime if one is installed
 * @throws UserError when `$SCRL_TENSORFLOW` is set and wrong
 */
export async function findEngine(preferCuda = false): Promise<InstalledEngine | undefined> {
  const given = process.env[VARIABLE];
  if (given !== undefined && given !== '') return fromUser(given);
  const installed = await installedEngines();
  const wanted = installed.find(({ variant }) => (variant === 'cuda') === preferCuda);
  return wanted ?? installed[0] ?? (await fromTfjs());
}

/** Installed runtimes, the one that was installed last first. Damaged ones are left out. */
export async function installedEngines(): Promise<InstalledEngine[]> {
  const root = enginesFolder();
  const names = await readdir(root).catch(() => [] as string[]);
  const found: { engine: InstalledEngine; installed: string }[] = [];
  for (const name of names.filter((name) => !name.endsWith('.tmp')).sort()) {
    const folder = join(root, name);
    const engine = await readEngine(folder);
    if (engine !== undefined)
      found.push({ engine, installed: (await readManifest(folder))?.installed ?? '' });
  }
  found.sort((a, b) => (a.installed < b.installed ? 1 : a.installed > b.installed ? -1 : 0));
  return found.map(({ engine }) => engine);
}

/** The runtime in a folder; undefined when there is none, or files are missing or cut short. */
export async function readEngine(folder: string): Promise<InstalledEngine | undefined> {
  const manifest = await readManifest(folder);
  if (manifest === undefined || !(await sizesMatch(folder, manifest.files))) return undefined;
  const { variant, version, source } = manifest;
  const preload = manifest.preload.map((name) => join(folder, name));
  return describe(folder, await findLibraries(folder), { variant, version, source, preload });
}

/** `engine.json`; undefined when it is not there or was damaged, e.g. by a power cut. */
export async function readManifest(folder: string): Promise<Manifest | undefined> {
  try {
    const manifest = JSON.parse(await readFile(join(folder, MANIFEST), 'utf8')) as Partial<Manifest> | null;
    const complete =
      typeof manifest?.files === 'object' &&
      Object.keys(manifest.files).length > 0 &&
      Array.isArray(manifest.preload);
    return complete ? (manifest as Manifest) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || hasCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

async function fromUser(path: string): Promise<InstalledEngine> {
  const where = `$${VARIABLE}`;
  const status = await stat(path).catch(() => undefined);
  if (status === undefined) {
    throw new UserError('there is no such file or folder', {
      where,
      value: path,
      remedy: `unset ${VARIABLE}, or let it name the folder of libtensorflow_cc.so.2, or the library itself`,
    });
  }
  if (!status.isDirectory()) return outside(dirname(path), await librariesBeside(path), where);
  const own = await readEngine(path);
  if (own === undefined) return outside(path, await findLibraries(path), where);
  await checkMachine({ main: own.ccLibrary, framework: own.frameworkLibrary });
  return own;
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
    // Nobody asked for this one: where it is absent or for another machine, there is simply none.
    const engine = await findLibraries(folder)
      .then((libraries) => outside(folder, libraries, name))
      .catch(() => undefined);
    if (engine !== undefined) return engine;
  }
  return undefined;
}

/** A runtime that scrl did not install. @throws UserError when it is for another machine */
async function outside(folder: string, libraries: Libraries, source: string): Promise<InstalledEngine> {
  await checkMachine(libraries);
  const version = versionInName(await realName(libraries.main)) ?? 'unknown';
  return describe(folder, libraries, { variant: 'unknown', version, source, preload: [] });
}

function describe(
  folder: string,
  { main, framework }: Libraries,
  facts: Pick<InstalledEngine, 'variant' | 'version' | 'source' | 'preload'>,
): InstalledEngine {
  return {
    folder,
    ...facts,
    ccLibrary: main,
    ...(framework === undefined ? {} : { frameworkLibrary: framework }),
    libraries: [...facts.preload, ...(framework === undefined ? [] : [framework]), main],
  };
}
