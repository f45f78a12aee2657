/**
 * Takes what makes up the engine out of what the user has: a wheel, a folder of wheels, an official libtensorflow archive,
 * a folder with the libraries, or a library. Nothing else is unpacked: a wheel holds 20,000 files, of which two are needed.
 */

import { chmod, open, readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { requireSpace } from '../../core/disk-space.js';
import { UserError } from '../../core/errors.js';
import { fileSource } from '../../formats/byte-source.js';
import { LARGEST_DEFLATE_RATIO } from '../../formats/zip/directory.js';
import { ZipReader } from '../../formats/zip/reader.js';
import { OTHER_DISK, readManifest } from './engine-folder.js';
import {
  findLibraries,
  type Libraries,
  librariesBeside,
  placeInEngine,
  realName,
  type Variant,
  versionInName,
} from './library-files.js';
import { type FileRecord, saveFile, streamFile } from './save-file.js';
import { readTarGz } from './tar.js';

/** An engine folder that is being filled. */
export interface Unpacking {
  folder: string;
  variant: Variant;
  /** What was written so far, by path relative to the folder. */
  files: Record<string, FileRecord>;
  /** TensorFlow's version, as soon as something tells it. */
  version: string | undefined;
  /** The packages that TensorFlow's wheel names for CUDA, as pip takes them. */
  nvidia: string[];
  /** @param total undefined when it is not known beforehand */
  onProgress: (done: number, total?: number) => void;
}

/** @throws UserError when there is no TensorFlow library in `source`, or it is damaged */
export async function unpack(source: string, into: Unpacking): Promise<void> {
  const status = await stat(source).catch(() => undefined);
  if (status === undefined) {
    throw new UserError('there is no such file or folder', { where: source, remedy: 'check the path' });
  }
  if (status.isDirectory()) return unpackFolder(source, into);
  const magic = (await firstBytes(source)).toString('hex');
  if (magic.startsWith('504b')) return unpackWheel(source, into);
  if (magic.startsWith('1f8b')) return unpackArchive(source, into);
  if (magic === '7f454c46' || magic === 'cffaedfe') return copyLibraries(await librariesBeside(source), into);
  throw new UserError('is neither a wheel, nor a .tar.gz archive, nor a library', {
    where: source,
    remedy: 'if it is a download, get it again: it may be incomplete',
  });
}

/**
 * Takes the wanted members of TensorFlow's wheel, or of an NVIDIA package's, checksums included.
 *
 * @throws UserError when it is damaged, does not fit, or is another package's
 */
export async function unpackWheel(source: string, into: Unpacking): Promise<void> {
  // NVIDIA's wheels hold libraries that compress 327 to 1. The sizes are held against the free space.
  const zip = await ZipReader.open(await fileSource(source), LARGEST_DEFLATE_RATIO);
  const entries = [...zip.entries.values()];
  const members = entries.flatMap((entry) => {
    const place = placeInEngine(entry.name, into.variant);
    return place === undefined ? [] : [{ entry, place }];
  });
  if (members.length === 0 && !basename(source).startsWith('nvidia_')) {
    throw new UserError('holds no TensorFlow library', {
      where: source,
      remedy: 'give a wheel of tensorflow or tensorflow-cpu for Linux or macOS',
    });
  }
  const metadata = entries.find(({ name }) => /^tensorflow(_\w+)?-[^/]+\.dist-info\/METADATA$/.test(name));
  if (metadata !== undefined) {
    let text = '';
    await zip.extract(metadata, async (piece) => {
      text += Buffer.from(piece).toString('latin1');
    });
    readMetadata(text, into);
  }
  const sizes = members.map(({ entry }) => entry.size);
  const progress = await begin(sizes, into);
  for (const { entry, place } of members) {
    into.files[place] = await saveFile(
      join(into.folder, place),
      (consume) => zip.extract(entry, consume),
      progress,
    );
    if (place.includes('/bin/')) await chmod(join(into.folder, place), 0o755);
  }
}

/** Lines such as `Version: 2.21.0` and `Requires-Dist: nvidia-nccl-cu12<3.0,>=2.27.7; extra == "and-cuda"`. */
function readMetadata(text: string, into: Unpacking): void {
  into.version = /^Version: (\S+)/m.exec(text)?.[1] ?? into.version;
  const required = text.matchAll(/^Requires-Dist: (nvidia-[^;]+?)\s*;.*extra == ['"]and-cuda['"]/gm);
  into.nvidia = [...required].map(([, requirement]) => requirement.replaceAll(/[\s()]/g, ''));
}

async function unpackArchive(source: string, into: Unpacking): Promise<void> {
  let done = 0;
  await readTarGz(source, async (name, content) => {
    const place = placeInEngine(name, into.variant);
    // Some archives hold the same library under several names.
    if (place === undefined || place in into.files) return;
    into.version ??= versionInName(basename(name));
    const copy = async (consume: (piece: Uint8Array) => Promise<void>) => {
      for await (const piece of content) await consume(piece);
    };
    into.files[place] = await saveFile(join(into.folder, place), copy, (count) => {
      done += count;
      into.onProgress(done);
    });
  });
  into.version ??= /-(2\.\d+\.\d+)\.t/.exec(basename(source))?.[1];
  if (Object.keys(into.files).length === 0) {
    throw new UserError('holds no TensorFlow library', {
      where: source,
      remedy: 'give an archive of libtensorflow for Linux or macOS',
    });
  }
}

/** A folder of downloaded wheels, or one that holds the libraries: unpacked, Python's site-packages, or an engine folder. */
async function unpackFolder(source: string, into: Unpacking): Promise<void> {
  const wheels = (await readdir(source)).filter((name) =>
    /^(tensorflow(_\w+)?|nvidia_\w+)-.*\.whl$/.test(name),
  );
  const own = wheels.filter((name) => name.startsWith('tensorflow'));
  if (own.length > 1) {
    throw new UserError('holds several wheels of TensorFlow', {
      where: source,
      value: own,
      remedy: 'leave only the one to be installed, or name it',
    });
  }
  if (own.length === 1) {
    for (const wheel of wheels) await unpackWheel(join(source, wheel), into);
    return;
  }
  const nvidia = into.variant === 'cuda' ? await filesBelow(source, 'nvidia') : [];
  await copyLibraries(await findLibraries(source), into, source, nvidia);
  // An engine of ours knows its version; names of libraries rarely tell it.
  into.version ??= (await readManifest(source))?.version;
}

/** @param extra files below `folder`, by relative path */
async function copyLibraries(
  libraries: Libraries,
  into: Unpacking,
  folder = '',
  extra: readonly string[] = [],
): Promise<void> {
  const { main, framework } = libraries;
  into.version = versionInName(await realName(main));
  const copies = (framework === undefined ? [main] : [framework, main]).map((path) => ({
    path,
    // A library may have any name when the user names it.
    place: placeInEngine(basename(path), into.variant) ?? placeInEngine('libtensorflow.so.2', into.variant),
  }));
  for (const name of extra)
    copies.push({ path: join(folder, name), place: placeInEngine(name, into.variant) });
  const sizes = await Promise.all(copies.map(async ({ path }) => (await stat(path)).size));
  const progress = await begin(sizes, into);
  for (const { path, place } of copies) {
    if (place === undefined) continue;
    into.files[place] = await saveFile(
      join(into.folder, place),
      (consume) => streamFile(path, consume),
      progress,
    );
    if (place.includes('/bin/')) await chmod(join(into.folder, place), 0o755);
  }
}

/** Checks that files of these sizes fit, and counts what is written of them. */
async function begin(sizes: readonly number[], into: Unpacking): Promise<(count: number) => void> {
  const total = sizes.reduce((sum, size) => sum + size, 0);
  await requireSpace(into.folder, total, OTHER_DISK);
  let done = 0;
  return (count) => {
    done += count;
    into.onProgress(done, total);
  };
}

async function filesBelow(folder: string, name: string): Promise<string[]> {
  const names = await readdir(join(folder, name), { recursive: true }).catch(() => [] as string[]);
  return names.map((path) => `${name}/${path}`).filter((path) => placeInEngine(path, 'cuda') !== undefined);
}

async function firstBytes(path: string): Promise<Buffer> {
  const file = await open(path);
  try {
    const head = Buffer.alloc(4);
    await file.read(head, 0, 4, 0);
    return head;
  } finally {
    await file.close();
  }
}
