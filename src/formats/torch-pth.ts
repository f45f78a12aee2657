/**
 * PyTorch's `.pth` files (`.pt`, `.pth.tar`, `.bin`): reading and writing without Python, and without executing anything.
 *
 * Reads the zip container and the one before 1.6; writes the zip container. Tensors are read lazily: a value may be passed
 * on, renamed and written again while only one tensor is in memory.
 *
 *     const checkpoint = await readTorchFile('checkpoint.pth');
 *     await writeTorchFile('copy.pth', checkpoint);
 */

import { UserError } from '../core/errors.js';
import { type Log, SILENT } from '../core/log.js';
import { writeAtomic } from '../core/replace.js';
import { type ByteSource, damaged, fileSource } from './byte-source.js';
import { detectContainer } from './detect.js';
import { readArchive } from './torch/archive.js';
import type { TorchFile } from './torch/file.js';
import { readLegacy } from './torch/legacy.js';
import { type WrittenArchive, writeTorch } from './torch/write.js';
import type { FileValue } from './value.js';
import { ZipReader } from './zip/reader.js';

export { type WrittenArchive, writeTorch } from './torch/write.js';

export interface ReadTorchOptions {
  /** Refuse files that hold anything but weights and plain data; by default such objects become `PyOpaque`. */
  readonly strict?: boolean;
  /** Told what was not read. */
  readonly log?: Log;
}

/**
 * Reads the structure of a file; the elements of its tensors are read by `load()` or `loadAll`.
 *
 * @throws UserError when the file is missing, is something else, or is damaged; damage in elements shows when loading
 */
export async function readTorchFile(path: string, options: ReadTorchOptions = {}): Promise<FileValue> {
  return readTorch(await fileSource(path), options);
}

/** `readTorchFile` of anything that has bytes. */
export async function readTorch(source: ByteSource, options: ReadTorchOptions = {}): Promise<FileValue> {
  return (await openTorch(source, options)).value;
}

/** Writes `value` beside `path` and renames it into place. Tensors may be lazy; they are loaded one after the other. */
export async function writeTorchFile(path: string, value: FileValue): Promise<void> {
  await writeAtomic(path, async (file) => {
    await writeTorch(file, value);
  });
}

/**
 * Reads every byte of a file and checks it.
 *
 * @param expected what `writeTorch` returned: then the members must be these, with these checksums
 * @throws UserError when the file is not whole
 */
export async function verifyTorchFile(path: string, expected?: WrittenArchive): Promise<void> {
  const source = await fileSource(path);
  if (expected !== undefined) {
    const { entries } = await ZipReader.open(source);
    for (const [name, { size, crc }] of expected) {
      const entry = entries.get(name);
      if (entry?.size !== size || entry.crc !== crc) {
        throw damaged(path, 'does not hold what was written', name);
      }
    }
  }
  await (await openTorch(source, {})).verify();
}

const OTHER_FILES = { safetensors: 'a safetensors file', pickle: 'a plain pickle' };

async function openTorch(
  source: ByteSource,
  { strict = false, log = SILENT }: ReadTorchOptions,
): Promise<TorchFile> {
  const container = await detectContainer(source);
  if (container !== 'zip' && container !== 'legacy') {
    throw new UserError(`is no PyTorch file, but ${OTHER_FILES[container]}`, {
      where: source.name,
      remedy: 'name a file that torch.save wrote, or convert it with `scrl convert`',
    });
  }
  const file =
    container === 'zip' ? await readArchive(source, strict, log) : await readLegacy(source, strict);
  if (file.opaque.size > 0) log.info(`${source.name}: not read, objects of ${[...file.opaque].join(', ')}`);
  return file;
}
