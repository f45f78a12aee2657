/**
 * Keeps the result of a scan, so that the second start does not read a million headers again.
 *
 * One binary file per (root, annotations): a line of JSON (version, byte lengths, stamps, classes, skipped files), then
 * the columns of the table as they lie in memory, then a SHA-256 of everything before it. Loading a million images is
 * one read of 80 MB. The stamps say whether the index still holds; what they do not notice is in `stamps.ts`, and
 * `rescan` is for that. A file that is damaged or of another version counts as absent.
 */

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorMessage } from '../core/errors.js';
import { cacheFolder } from '../core/fs.js';
import type { Log } from '../core/log.js';
import { writeFileAtomic } from '../core/replace.js';
import type { ImageColumns } from './image-table.js';
import type { ScanOptions, ScanResult } from './scan.js';
import { stampsHold } from './stamps.js';

const VERSION = 1;
const DIGEST_BYTES = 32;
const COLUMN_NAMES = ['names', 'offsets', 'widths', 'heights', 'labels', 'kinds'] as const;

interface Header extends Omit<ScanResult, 'columns'> {
  version: number;
  /** Bytes of each column, in the order of `COLUMN_NAMES`. */
  lengths: number[];
}

export type IndexKey = Pick<ScanOptions, 'root' | 'annotations'>;

export function indexPath({ root, annotations }: IndexKey): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([root, annotations ?? null]))
    .digest('hex');
  return join(cacheFolder(), 'index', `${hash.slice(0, 32)}.bin`);
}

/** The cached result, or undefined when there is none or it no longer holds. */
export async function readIndex(key: IndexKey, log: Log): Promise<ScanResult | undefined> {
  const path = indexPath(key);
  try {
    const result = decode(await readFile(path));
    if (await stampsHold(result.stamps)) return result;
    log.debug(`${path}: the data set has changed since it was indexed`);
  } catch (error) {
    log.debug(`${path}: no usable index: ${errorMessage(error)}`);
  }
  return undefined;
}

/** Writes an index. A folder that cannot be written costs the next start its time, and nothing else: it is said once. */
export async function writeIndex(key: IndexKey, result: ScanResult, log: Log): Promise<void> {
  try {
    await writeFileAtomic(indexPath(key), encode(result));
  } catch (error) {
    log.warn(
      `the index of ${key.root} was not kept, so the next start reads all files again: ${errorMessage(error)}`,
    );
  }
}

function encode({ columns, ...rest }: ScanResult): Uint8Array {
  const parts = COLUMN_NAMES.map((name) => bytesOf(columns[name]));
  const header: Header = { version: VERSION, lengths: parts.map((part) => part.length), ...rest };
  const content = Buffer.concat([Buffer.from(`${JSON.stringify(header)}\n`), ...parts]);
  return Buffer.concat([content, digest(content)]);
}

function decode(file: Buffer): ScanResult {
  const content = file.subarray(0, file.length - DIGEST_BYTES);
  if (!digest(content).equals(file.subarray(content.length))) throw new Error('wrong checksum');
  const end = content.indexOf('\n');
  const { version, lengths, ...rest } = JSON.parse(content.toString('utf8', 0, end)) as Header;
  if (version !== VERSION) throw new Error(`version ${version} instead of ${VERSION}`);
  let offset = end + 1;
  const parts = lengths.map((length) => {
    // A copy of its own, because columns of four bytes must start at a multiple of four.
    const part = Uint8Array.from(content.subarray(offset, offset + length));
    offset += length;
    return part;
  });
  const [names, offsets, widths, heights, labels, kinds] = parts;
  const columns: ImageColumns = {
    names,
    offsets: new Uint32Array(offsets.buffer),
    widths: new Uint32Array(widths.buffer),
    heights: new Uint32Array(heights.buffer),
    labels: new Int32Array(labels.buffer),
    kinds,
  };
  return { ...rest, columns };
}

function digest(content: Uint8Array): Buffer {
  return createHash('sha256').update(content).digest();
}

function bytesOf(column: Uint8Array | Uint32Array | Int32Array): Uint8Array {
  return new Uint8Array(column.buffer, column.byteOffset, column.byteLength);
}
