/**
 * Installs the TensorFlow library into the cache folder.
 *
 * Everything happens in a temporary folder beside the final one, which is renamed into place when all is there and
 * checked: an install that is killed, runs out of space or gets a damaged file leaves nothing that could be used by
 * mistake. A lock lets one install work at a time; the others find its result.
 */

import { createHash } from 'node:crypto';
import { copyFile, mkdir, open, readdir, rename, rm, stat, statfs } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { formatBytes } from '../../core/clock.js';
import { UserError } from '../../core/errors.js';
import { explainWriteError, temporaryName, withLock, writeFileAtomic } from '../../core/fs.js';
import type { Log } from '../../core/log.js';
import { fileSource } from '../../formats/byte-source.js';
import { ZipReader } from '../../formats/zip/reader.js';
import { REQUIRED_SYMBOLS } from '../../tensorflow/capi.js';
import { downloadWheel, enginePackage, type Package } from './download.js';
import {
  enginesFolder,
  findEngine,
  type InstalledEngine,
  isEngineFile,
  librariesIn,
  MANIFEST,
  type Manifest,
  readEngine,
  type Variant,
} from './engine-folder.js';
import { inspectLibrary } from './shared-library.js';

export interface InstallProgress {
  stage: 'downloading' | 'unpacking' | 'checking';
  /** Bytes */
  done: number;
  total?: number;
}

export interface InstallOptions {
  log: Log;
  /** Install the build for NVIDIA GPUs. */
  cuda?: boolean;
  /** A wheel, or a folder that holds the library, instead of a download. */
  from?: string;
  onProgress?: (progress: InstallProgress) => void;
}

/** The runtime, installing the CPU one when there is none. @param options.preferCuda take a CUDA runtime if installed */
export async function ensureEngine(
  options: Pick<InstallOptions, 'log' | 'onProgress'> & { preferCuda?: boolean },
): Promise<InstalledEngine> {
  const { preferCuda = false, ...rest } = options;
  const found = await findEngine(preferCuda);
  if (found !== undefined) return found;
  options.log.info('the TensorFlow runtime is not installed yet; it is installed once, now');
  return installEngine(rest);
}

/**
 * @throws UserError when it cannot be downloaded, is damaged, is for another machine, lacks functions, or does not fit on
 *   the disk; an earlier installation is then still there
 */
export async function installEngine(options: InstallOptions): Promise<InstalledEngine> {
  const { log, cuda = false, from } = options;
  const root = enginesFolder();
  await mkdir(root, { recursive: true }).catch((error) => {
    throw explainWriteError(root, error);
  });
  const variant: Variant = cuda ? 'cuda' : 'cpu';
  const wanted = from === undefined ? enginePackage(cuda) : undefined;
  const folder = join(root, `${variant}-${wanted?.version ?? 'custom'}`);
  return withLock(
    join(root, 'install.lock'),
    async () => {
      // Another process may have installed it while this one waited.
      const ready = from === undefined ? await readEngine(folder) : undefined;
      if (ready !== undefined) {
        log.info(`TensorFlow ${ready.version} (${ready.variant}) is installed in ${ready.folder}`);
        return ready;
      }
      await removeLeftOvers(root);
      const temporary = temporaryName(folder);
      try {
        await mkdir(temporary);
        const source = await fill(temporary, wanted, options);
        const manifest = await describe(temporary, { variant, wanted, source }, options);
        await writeFileAtomic(join(temporary, MANIFEST), JSON.stringify(manifest, null, 2));
        await rm(folder, { recursive: true, force: true });
        await rename(temporary, folder);
      } catch (error) {
        await rm(temporary, { recursive: true, force: true });
        throw explainWriteError(root, error);
      }
      const installed = await readEngine(folder);
      if (installed === undefined) throw new Error(`unreachable: ${folder} was just written`);
      log.info(`TensorFlow ${installed.version} (${variant}) is installed in ${folder}`);
      return installed;
    },
    (owner) => log.info(`another installation is running (process ${owner}); waiting for it`),
  );
}

/** Puts the libraries into `folder`. @returns where they came from */
async function fill(folder: string, wanted: Package | undefined, options: InstallOptions): Promise<string> {
  const { from, log, onProgress = () => undefined } = options;
  if (wanted !== undefined) {
    const requirement = `${wanted.name}==${wanted.version}`;
    log.info(
      `downloading ${requirement}: about ${formatBytes(wanted.downloadBytes)}, ` +
        `${formatBytes(wanted.installedBytes)} on disk, into ${folder.replace(/\.[^.]*\.tmp$/, '')}`,
    );
    await checkSpace(folder, wanted.downloadBytes + wanted.installedBytes);
    const download = join(folder, 'download');
    await mkdir(download);
    const wheel = await downloadWheel(requirement, download, wanted.downloadBytes, onProgress);
    await unpackWheel(wheel, folder, onProgress);
    await rm(download, { recursive: true });
    return requirement;
  }
  const path = from ?? '';
  const status = await stat(path).catch(() => undefined);
  if (status === undefined) {
    throw new UserError('there is no such file or folder', { where: path, key: '--from' });
  }
  if (!status.isDirectory()) {
    await unpackWheel(path, folder, onProgress);
    return path;
  }
  const nested = await librariesIn(path).catch(() => librariesIn(join(path, 'lib')));
  for (const library of nested) await copyFile(library, join(folder, basename(library)));
  return path;
}

/** Extracts only the libraries of a wheel, checksums included. */
async function unpackWheel(
  wheel: string,
  folder: string,
  onProgress: (progress: InstallProgress) => void,
): Promise<void> {
  const zip = await ZipReader.open(await fileSource(wheel));
  const members = [...zip.entries.values()].filter(({ name }) => isEngineFile(basename(name)));
  if (members.length === 0) {
    throw new UserError('holds no TensorFlow library', {
      where: wheel,
      remedy: 'give a wheel of tensorflow or tensorflow-cpu, version 2.16 or later',
    });
  }
  const total = members.reduce((sum, { size }) => sum + size, 0);
  await checkSpace(folder, total);
  let done = 0;
  for (const member of members) {
    const file = await open(join(folder, basename(member.name)), 'wx');
    try {
      await zip.extract(member, async (piece) => {
        await file.writeFile(piece);
        done += piece.length;
        onProgress({ stage: 'unpacking', done, total });
      });
      await file.sync();
    } finally {
      await file.close();
    }
  }
}

/** Checks processor and functions of the libraries, and records sizes and checksums. */
async function describe(
  folder: string,
  { variant, wanted, source }: { variant: Variant; wanted: Package | undefined; source: string },
  { onProgress = () => undefined }: InstallOptions,
): Promise<Manifest> {
  const libraries = await librariesIn(folder);
  const symbols = new Set<string>();
  let complete = true;
  for (const path of libraries) {
    const facts = await inspectLibrary(path);
    if (facts.arch !== process.arch) {
      throw new UserError(`is a library for ${facts.arch}, but this machine is ${process.arch}`, {
        where: source,
        key: basename(path),
        remedy: 'give the wheel that was built for this machine',
      });
    }
    if (facts.symbols === undefined) complete = false;
    for (const symbol of facts.symbols ?? []) symbols.add(symbol);
  }
  const missing = REQUIRED_SYMBOLS.filter((symbol) => !symbols.has(symbol));
  if (complete && missing.length > 0) {
    throw new UserError(`lacks ${missing.length} functions of TensorFlow's C API, e.g. ${missing[0]}`, {
      where: source,
      remedy: 'use TensorFlow 2.9 or later',
    });
  }
  const files: Manifest['files'] = {};
  for (const path of libraries) {
    files[basename(path)] = await checksum(path, (done, total) =>
      onProgress({ stage: 'checking', done, total }),
    );
  }
  const version = wanted?.version ?? /-(\d+\.\d+\.\d+)-/.exec(basename(source))?.[1] ?? 'unknown';
  return {
    variant,
    version,
    source,
    platform: process.platform,
    arch: process.arch,
    files,
    preload: [],
  };
}

async function checksum(
  path: string,
  onProgress: (done: number, total: number) => void,
): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256');
  const file = await open(path);
  try {
    const { size } = await file.stat();
    let done = 0;
    for await (const piece of file.createReadStream({ autoClose: false, highWaterMark: 1 << 22 })) {
      hash.update(piece as Buffer);
      done += (piece as Buffer).length;
      onProgress(done, size);
    }
    return { bytes: size, sha256: hash.digest('hex') };
  } finally {
    await file.close();
  }
}

async function checkSpace(folder: string, needed: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  if (free < needed) {
    throw new UserError(`${formatBytes(needed)} are needed, but only ${formatBytes(free)} are free`, {
      where: enginesFolder(),
      remedy: 'free some space, or set SCRL_HOME to a folder on another disk',
    });
  }
}

/** Temporary folders of installs that were killed. The lock is held, so nobody uses them. */
async function removeLeftOvers(root: string): Promise<void> {
  for (const name of await readdir(root)) {
    if (name.endsWith('.tmp')) await rm(join(root, name), { recursive: true, force: true });
  }
}
