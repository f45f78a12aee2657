/**
 * The zip container of PyTorch 1.6 and later: `<root>/data.pkl`, and `<root>/data/<key>` for each storage.
 *
 * Only members that the pickle refers to are read. Stricter than torch.load: checksums count, and the container has to be
 * sound (zip/directory.ts). TorchScript archives look alike but hold programmes; they are refused.
 */

import { UserError } from '../../core/errors.js';
import type { Log } from '../../core/log.js';
import { HOST_IS_LITTLE_ENDIAN } from '../byte-order.js';
import { type ByteSource, damaged } from '../byte-source.js';
import type { PickleInput } from '../pickle/input.js';
import { readPickle } from '../pickle/machine.js';
import { reveal } from '../pickle/reveal.js';
import { MalformedPickle, type PickleValue, PyOpaque } from '../pickle/values.js';
import type { ZipEntry } from '../zip/directory.js';
import { ZipReader } from '../zip/reader.js';
import { LARGEST_PICKLE, type TorchFile, tensorBudget, withPlace } from './file.js';
import { parseStorageId, torchBuilders, UNTYPED_STORAGE } from './rebuild.js';
import { Storage, storageDtype } from './storage.js';

const LATEST_VERSION = 10;

/** @throws UserError when it is not a sound PyTorch archive */
export async function readArchive(source: ByteSource, strict: boolean, log: Log): Promise<TorchFile> {
  const zip = await ZipReader.open(source);
  const root = findRoot(zip);
  const littleEndian = await readByteOrder(zip, root);
  await checkVersion(zip, root);

  const budget = tensorBudget(source.size);
  const used = new Set<string>();
  const persistent = (id: PickleValue): PickleValue => {
    const { className, key, count } = parseStorageId(id);
    const name = `${root}/data/${key}`;
    const entry = zip.entries.get(name);
    if (entry === undefined)
      throw new MalformedPickle(`refers to storage ${key}, which the archive does not hold`);
    used.add(name);
    const dtype = storageDtype(className);
    if (dtype === undefined && className !== UNTYPED_STORAGE) return new PyOpaque(className);
    const bytes = {
      read: (start: number, length: number) => zip.read(entry, start, length),
      swapped: littleEndian !== HOST_IS_LITTLE_ENDIAN,
    };
    const storage = new Storage(key, dtype, count, 0, { bytes });
    if (storage.byteLength !== entry.size) {
      throw new MalformedPickle(`gives storage ${key} ${storage.byteLength} bytes, but it has ${entry.size}`);
    }
    return storage;
  };

  const entry = zip.entries.get(`${root}/data.pkl`);
  if (entry === undefined) throw new Error(`unreachable: ${root} was found by its pickle`);
  const where = source.name;
  const options = { where, builders: torchBuilders(budget), persistent, strict };
  const { value, opaque } = await readLargePickle(zip, entry, (input) => readPickle(input, options));
  const unused = [...zip.entries.keys()].filter(
    (name) => name.startsWith(`${root}/data/`) && !used.has(name),
  );
  if (unused.length > 0) log.warn(`${where}: ${unused.length} storages belong to no tensor and are not read`);
  return {
    value: withPlace(where, () => reveal(value, budget)),
    opaque,
    verify: () => zip.verify(),
  };
}

/**
 * The pickle of a model is small, as the tensors are beside it. One that holds NumPy arrays may be as large as the model:
 * then the arrays stay in the file.
 */
async function readLargePickle<T>(
  zip: ZipReader,
  entry: ZipEntry,
  work: (input: Uint8Array | PickleInput) => T,
): Promise<T> {
  if (entry.size <= LARGEST_PICKLE) return work(await zip.read(entry));
  const source = await zip.stored(entry);
  if (source !== undefined) return source.useNow((read) => work({ size: source.size, read, source }));
  throw new UserError(
    `holds a compressed pickle of ${entry.size} bytes; ${LARGEST_PICKLE} is the limit for those`,
    {
      where: zip.source.name,
      remedy:
        'save tensors in place of NumPy arrays, or write the file with torch.save, which does not compress',
    },
  );
}

function findRoot(zip: ZipReader): string {
  const where = zip.source.name;
  const names = [...zip.entries.keys()];
  const roots = names.flatMap((name) => /^([^/]+)\/data\.pkl$/.exec(name)?.[1] ?? []);
  if (roots.length !== 1) {
    throw new UserError('is a zip archive, but not one of PyTorch: it needs one folder with a data.pkl', {
      where,
      remedy: 'name a file that torch.save wrote; unpack archives of several files first',
    });
  }
  const [root] = roots;
  if (names.some((name) => name === `${root}/constants.pkl` || name.startsWith(`${root}/code/`))) {
    throw new UserError('is a TorchScript programme, not a file of weights', {
      where,
      remedy: 'in Python: torch.save(torch.jit.load(path).state_dict(), new_path)',
    });
  }
  return root;
}

async function readText(zip: ZipReader, name: string): Promise<string | undefined> {
  const entry = zip.entries.get(name);
  if (entry === undefined) return undefined;
  return Buffer.from(await zip.read(entry, 0, Math.min(entry.size, 64)))
    .toString('latin1')
    .trim();
}

async function readByteOrder(zip: ZipReader, root: string): Promise<boolean> {
  const order = (await readText(zip, `${root}/byteorder`)) ?? 'little';
  if (order !== 'little' && order !== 'big')
    throw damaged(zip.source.name, `byte order ${JSON.stringify(order)}`);
  return order === 'little';
}

async function checkVersion(zip: ZipReader, root: string): Promise<void> {
  const text = await readText(zip, `${root}/version`);
  if (text === undefined) throw damaged(zip.source.name, `holds no ${root}/version`);
  if (!/^\d+$/.test(text) || Number(text) > LATEST_VERSION) {
    throw new UserError('is of an archive version that is not known', {
      where: zip.source.name,
      value: text,
      remedy: `save it with a PyTorch whose archive version is at most ${LATEST_VERSION}`,
    });
  }
}
