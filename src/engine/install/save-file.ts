/** Writes a file piece by piece, with its SHA-256 on the way, and compares files with what was recorded. */

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { durably } from '../../core/fs.js';

export interface FileRecord {
  bytes: number;
  sha256: string;
}

/** Inflating yields small pieces; they are collected to this size before they are written. */
const WRITE_BYTES = 2 ** 20;

/**
 * Writes what `produce` hands over to a new file, flushed to the disk.
 *
 * @param onBytes called with the size of each piece
 */
export async function saveFile(
  path: string,
  produce: (consume: (piece: Uint8Array) => Promise<void>) => Promise<void>,
  onBytes: (count: number) => void,
): Promise<FileRecord> {
  await mkdir(dirname(path), { recursive: true });
  const hash = createHash('sha256');
  let bytes = 0;
  let waiting: Uint8Array[] = [];
  let waitingBytes = 0;
  await durably(path, async (file) => {
    const flush = async () => {
      const block = Buffer.concat(waiting);
      waiting = [];
      waitingBytes = 0;
      hash.update(block);
      bytes += block.length;
      await file.writeFile(block);
      onBytes(block.length);
    };
    await produce(async (piece) => {
      waiting.push(piece);
      waitingBytes += piece.length;
      if (waitingBytes >= WRITE_BYTES) await flush();
    });
    await flush();
  });
  return { bytes, sha256: hash.digest('hex') };
}

/** Hands over a file's content in pieces. */
export async function streamFile(path: string, consume: (piece: Uint8Array) => Promise<void>): Promise<void> {
  for await (const piece of createReadStream(path, { highWaterMark: WRITE_BYTES })) {
    await consume(piece as Buffer);
  }
}

/** Whether all files have their recorded size: cheap, catches what was deleted or cut short. */
export async function sizesMatch(
  folder: string,
  files: Readonly<Record<string, FileRecord>>,
): Promise<boolean> {
  for (const [name, { bytes }] of Object.entries(files)) {
    const size = await stat(join(folder, name)).then(
      (status) => status.size,
      () => -1,
    );
    if (size !== bytes) return false;
  }
  return true;
}

/** Whether all files have their recorded checksum: reads every byte, some seconds. */
export async function checksumsMatch(
  folder: string,
  files: Readonly<Record<string, FileRecord>>,
  onBytes: (count: number) => void,
): Promise<boolean> {
  for (const [name, { sha256 }] of Object.entries(files)) {
    const hash = createHash('sha256');
    await streamFile(join(folder, name), async (piece) => {
      hash.update(piece);
      onBytes(piece.length);
    });
    if (hash.digest('hex') !== sha256) return false;
  }
  return true;
}
