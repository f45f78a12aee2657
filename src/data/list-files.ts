/**
 * Lists the image files below a folder, in byte order of their relative paths, so that an index means the same file on
 * every machine.
 *
 * Hidden entries are left out. Links are followed; a folder that is reached twice, by links or in a circle, is listed
 * the first time only. Whatever cannot be read is reported, never fatal.
 */

import { readdir, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { errorMessage, hasCode } from '../core/errors.js';
import type { Stamp } from './stamps.js';

export interface Skipped {
  path: string;
  reason: string;
}

export interface FileList {
  /** Relative to the root, `/` between folders. */
  names: string[];
  /** Of all folders that were listed. */
  stamps: Stamp[];
  skipped: Skipped[];
}

const READABLE = new Set([
  '.jpg',
  '.jpeg',
  '.jpe',
  '.jfif',
  '.png',
  '.webp',
  '.tif',
  '.tiff',
  '.gif',
  '.avif',
]);
/** Pictures all the same, so the user should hear that they are not used. */
const UNREADABLE = new Set([
  '.bmp',
  '.heic',
  '.heif',
  '.jp2',
  '.jxl',
  '.ppm',
  '.pgm',
  '.raw',
  '.dng',
  '.psd',
]);

/** @param root must be a folder that can be read; its errors are thrown as they are */
export async function listImageFiles(root: string): Promise<FileList> {
  const list: FileList = { names: [], stamps: [], skipped: [] };
  await listFolder(root, '', list, new Set());
  sortByBytes(list.names);
  return list;
}

async function listFolder(path: string, prefix: string, list: FileList, seen: Set<string>): Promise<void> {
  const { dev, ino, mtimeMs } = await stat(path);
  const identity = `${dev}:${ino}`;
  if (seen.has(identity)) return;
  seen.add(identity);
  // The stamp's time is taken before reading: a change in between makes the stamp old, never too new.
  const entries = await readdir(path, { withFileTypes: true });
  list.stamps.push({ path, mtimeMs, size: entries.length });
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    if (entry.name.startsWith('.')) continue;
    const child = join(path, entry.name);
    const name = `${prefix}${entry.name}`;
    try {
      const kind = entry.isSymbolicLink() ? await stat(child) : entry;
      if (kind.isDirectory()) await listFolder(child, `${name}/`, list, seen);
      else if (kind.isFile()) listFile(child, name, list);
    } catch (error) {
      list.skipped.push({ path: child, reason: reasonOf(error) });
    }
  }
}

function listFile(path: string, name: string, list: FileList): void {
  const extension = extname(name).toLowerCase();
  if (READABLE.has(extension)) list.names.push(name);
  else if (UNREADABLE.has(extension)) {
    list.skipped.push({ path, reason: `format ${extension.slice(1)} is not supported` });
  }
}

/** Byte order of UTF-8. The default order, of UTF-16 units, is the same and faster unless there are surrogates. */
export function sortByBytes(names: string[]): void {
  if (!names.some((name) => /[\ud800-\udfff]/.test(name))) names.sort();
  else names.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

function reasonOf(error: unknown): string {
  if (hasCode(error, 'ENOENT')) return 'a link to nothing';
  if (hasCode(error, 'ELOOP')) return 'a link to itself';
  if (hasCode(error, 'EACCES', 'EPERM')) return 'permission denied';
  return errorMessage(error);
}
