/**
 * Installs the TensorFlow library into the cache folder.
 *
 * Everything happens in a temporary folder beside the final one, which is renamed into place when all is there and
 * checked: an install that is killed, runs out of space or gets a damaged file leaves nothing that could be used by
 * mistake. A lock lets one install work at a time; the others find its result.
 *
 * Of the CUDA engine, everything was run but computing on a GPU: download, unpacking, checks, and loading on a machine
 * without one.
 */

import { mkdir, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { UserError } from '../../core/errors.js';
import { explainWriteError } from '../../core/fs.js';
import { withLock } from '../../core/lock.js';
import type { Log } from '../../core/log.js';
import { writeFileAtomic } from '../../core/replace.js';
import { temporaryName, tidyFolder } from '../../core/temporary.js';
import { REQUIRED_SYMBOLS } from '../../tensorflow/capi.js';
import { downloadEngine } from './download.js';
import {
  enginesFolder,
  findEngine,
  type InstalledEngine,
  MANIFEST,
  type Manifest,
  readEngine,
  readManifest,
} from './engine-folder.js';
import { findLibraries, preloadOrder, type Variant } from './library-files.js';
import { type EnginePackage, enginePackage, glibcVersion, requireGlibc } from './packages.js';
import { checksumsMatch } from './save-file.js';
import { type Unpacking, unpack } from './unpack.js';
import { checkLibraries } from './verify.js';
import type { WheelHashes } from './wheel-hashes.js';

export interface InstallProgress {
  stage: 'downloading' | 'unpacking' | 'checking';
  /** Bytes. */
  done: number;
  total?: number;
}

export interface InstallOptions {
  log: Log;
  /** Install the build for NVIDIA GPUs. */
  cuda?: boolean;
  /**
   * Instead of a download: a wheel, a folder of wheels, an official libtensorflow archive (.tar.gz), a folder with the
   * libraries, or a library.
   */
  from?: string;
  /** Functions that the library must have; by default those that scrl calls. */
  requiredSymbols?: readonly string[];
  /** SHA-256 that downloaded wheels must have, by name; by default those of the pinned version. */
  hashes?: WheelHashes;
  onProgress?: (progress: InstallProgress) => void;
}

/**
 * The runtime, installing the CPU one when there is none.
 *
 * @param options.preferCuda take a CUDA runtime if one is installed
 * @throws UserError as `findEngine` and `installEngine`
 */
export async function ensureEngine(
  options: Pick<InstallOptions, 'log' | 'onProgress' | 'hashes'> & { preferCuda?: boolean },
): Promise<InstalledEngine> {
  const { preferCuda = false, ...rest } = options;
  const found = await findEngine(preferCuda);
  if (found !== undefined) return found;
  options.log.info('no usable TensorFlow runtime is installed; it is installed once, now');
  return installEngine(rest);
}

/**
 * Installs a runtime; one that is there already is checked, and replaced if it is damaged.
 *
 * @throws UserError when it cannot be downloaded, is damaged, is for another machine, lacks functions, or does not fit on
 *   the disk; an earlier installation is then still there
 */
export async function installEngine(options: InstallOptions): Promise<InstalledEngine> {
  const { log, cuda = false, from } = options;
  const variant = cuda ? 'cuda' : 'cpu';
  const wanted = from === undefined ? enginePackage(variant) : undefined;
  if (wanted !== undefined && process.platform === 'linux') requireGlibc(glibcVersion());
  const root = enginesFolder();
  return withLock(
    join(root, 'install.lock'),
    async () => {
      // An earlier call, or another process while this one waited, may have installed it.
      const ready =
        wanted === undefined
          ? undefined
          : await readIntact(join(root, `${variant}-${wanted.version}`), options);
      const engine = ready ?? (await build(root, variant, wanted, options));
      log.info(`TensorFlow ${engine.version} (${engine.variant}) is installed in ${engine.folder}`);
      return engine;
    },
    (owner) => log.info(`another installation is running (${owner}); waiting for it`),
  );
}

/** The engine in a folder, if every byte is as it was installed. */
async function readIntact(
  folder: string,
  { log, onProgress }: InstallOptions,
): Promise<InstalledEngine | undefined> {
  const engine = await readEngine(folder);
  const manifest = await readManifest(folder);
  if (manifest === undefined) return undefined;
  const total = Object.values(manifest.files).reduce((sum, { bytes }) => sum + bytes, 0);
  let done = 0;
  const intact =
    engine !== undefined &&
    (await checksumsMatch(folder, manifest.files, (count) => {
      done += count;
      onProgress?.({ stage: 'checking', done, total });
    }));
  if (intact) return engine;
  log.warn(`${folder} is damaged and is installed again`);
  return undefined;
}

/** Fills a temporary folder, checks it and moves it into place. */
async function build(
  root: string,
  variant: Variant,
  wanted: EnginePackage | undefined,
  options: InstallOptions,
): Promise<InstalledEngine> {
  await tidyFolder(root);
  const temporary = temporaryName(join(root, variant));
  try {
    await mkdir(temporary);
    const unpacking: Unpacking = {
      folder: temporary,
      variant,
      files: {},
      version: undefined,
      nvidia: [],
      onProgress: (done, total) =>
        options.onProgress?.({ stage: 'unpacking', done, ...(total === undefined ? {} : { total }) }),
    };
    const source = wanted === undefined ? resolve(options.from ?? '') : `${wanted.name}==${wanted.version}`;
    if (wanted === undefined) await unpack(source, unpacking);
    else await downloadEngine(wanted, root, unpacking, options);
    await check(unpacking, source, options);
    const manifest: Manifest = {
      variant,
      version: wanted?.version ?? unpacking.version ?? 'unknown',
      source,
      platform: process.platform,
      arch: process.arch,
      installed: new Date().toISOString(),
      files: unpacking.files,
      preload: preloadOrder(Object.keys(unpacking.files)),
    };
    await writeFileAtomic(join(temporary, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`);
    const folder = join(root, `${variant}-${manifest.version}`);
    await replaceFolder(folder, temporary);
    const engine = await readEngine(folder);
    if (engine === undefined) throw new Error(`${folder} was just written, but cannot be read`);
    return engine;
  } catch (error) {
    throw explainWriteError(root, error);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** @throws UserError when the libraries cannot be used here, naming where they came from */
async function check(
  { folder, variant, files }: Unpacking,
  source: string,
  { log, requiredSymbols = REQUIRED_SYMBOLS }: InstallOptions,
): Promise<void> {
  try {
    await checkLibraries(await findLibraries(folder), requiredSymbols);
  } catch (error) {
    // The temporary folder is about to vanish, and the user knows the source.
    if (!(error instanceof UserError)) throw error;
    throw error.with({ where: (error.details.where ?? folder).replaceAll(folder, source) });
  }
  const hasNvidia = Object.keys(files).some((name) => name.startsWith('nvidia/'));
  if (variant === 'cuda' && !hasNvidia) {
    log.warn(`${source} holds no CUDA libraries; those of the system are used (CUDA 12 and cuDNN 9)`);
  }
}

/** Puts `replacement` in the place of `folder`; the old one stays if that fails. */
async function replaceFolder(folder: string, replacement: string): Promise<void> {
  const aside = temporaryName(folder, 'old');
  const hadOld = await rename(folder, aside).then(
    () => true,
    () => false,
  );
  try {
    await rename(replacement, folder);
  } catch (error) {
    if (hadOld) await rename(aside, folder);
    throw error;
  }
  await rm(aside, { recursive: true, force: true });
}
