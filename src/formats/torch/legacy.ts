/**
 * The container of PyTorch before 1.6: five pickles one after the other, then the storages.
 *
 * Magic number, protocol, system information, the object, the list of storage keys; then for each key the number of
 * elements as a 64-bit integer and the elements, little-endian whatever the machine was.
 */

import { type DType, elementSize } from '../../core/array.js';
import { UserError } from '../../core/errors.js';
import { HOST_IS_LITTLE_ENDIAN } from '../byte-order.js';
import { type ByteSource, damaged, type ReadBytes, type ReadBytesNow } from '../byte-source.js';
import { itemsOf } from '../pickle/builtins.js';
import { type PickleResult, readPickle } from '../pickle/machine.js';
import { reveal } from '../pickle/reveal.js';
import { MalformedPickle, type PickleValue, PyOpaque } from '../pickle/values.js';
import { type TorchFile, tensorBudget, withPlace } from './file.js';
import { parseStorageId, torchBuilders } from './rebuild.js';
import { Storage, type StorageBytes, storageDtype } from './storage.js';

/** What a legacy file begins with: the pickle of torch.serialization's magic number. */
export const LEGACY_MAGIC = Buffer.from('80028a0a6cfc9c46f9206aa850192e', 'hex');

const PROTOCOL = 1001;

/** All that is known of one storage before its bytes are found. */
interface Root {
  readonly className: string;
  readonly dtype: DType | undefined;
  readonly count: number;
  readonly place: Storage['place'];
}

interface Parsed {
  readonly object: PickleResult;
  readonly keys: readonly PickleValue[];
  readonly roots: ReadonlyMap<string, Root>;
  readonly end: number;
}

export async function readLegacy(source: ByteSource, strict: boolean): Promise<TorchFile> {
  const where = source.name;
  const budget = tensorBudget(source.size);
  return source.use(async (read) => {
    const { object, keys, roots, end } = source.useNow((now) => parsePickles(source, now, strict));
    const value = withPlace(where, () => reveal(object.value, budget));
    await locateStorages(source, read, keys, roots, end);
    // The format has no checksums: that every storage lies inside the file is all there is to verify.
    return { value, opaque: object.opaque, verify: async () => undefined };
  });
}

function parsePickles(source: ByteSource, read: ReadBytesNow, strict: boolean): Parsed {
  const where = source.name;
  const input = { size: source.size, read };
  const plain = { where, builders: new Map(), strict };
  const protocol = readPickle(input, plain, LEGACY_MAGIC.length);
  if (protocol.value !== PROTOCOL) throw damaged(where, `is of another legacy protocol than ${PROTOCOL}`);
  const system = readPickle(input, plain, protocol.end);

  const roots = new Map<string, Root>();
  const builders = torchBuilders(tensorBudget(source.size));
  const persistent = (id: PickleValue) => resolve(roots, id);
  const object = readPickle(input, { where, builders, persistent, strict }, system.end);
  const keys = readPickle(input, plain, object.end);
  if (!Array.isArray(keys.value)) throw damaged(where, 'holds no list of storages');
  return { object, keys: keys.value, roots, end: keys.end };
}

function resolve(roots: Map<string, Root>, id: PickleValue): PickleValue {
  const { className, key, count, viewed } = parseStorageId(id);
  const dtype = storageDtype(className);
  const root = roots.get(key) ?? { className, dtype, count, place: new Storage(key, dtype, count).place };
  if (root.className !== className || root.count !== count) {
    throw new MalformedPickle(`describes storage ${key} in two ways`);
  }
  roots.set(key, root);
  if (dtype === undefined) return new PyOpaque(className);
  if (viewed === null) return new Storage(key, dtype, count, 0, root.place);
  // (view key, offset, view size), in elements.
  const [, offset, size] = itemsOf(viewed);
  if (
    typeof offset !== 'number' ||
    typeof size !== 'number' ||
    offset < 0 ||
    size < 0 ||
    offset + size > count
  ) {
    throw new MalformedPickle(`describes a view outside storage ${key}`);
  }
  return new Storage(key, dtype, size, offset, root.place);
}

/** Walks over the storages behind the pickles and tells each where its bytes are. */
async function locateStorages(
  source: ByteSource,
  read: ReadBytes,
  keys: readonly PickleValue[],
  roots: ReadonlyMap<string, Root>,
  end: number,
): Promise<void> {
  const missing = new Set(roots.keys());
  let position = end;
  for (const key of keys) {
    const root = typeof key === 'string' ? roots.get(key) : undefined;
    if (typeof key !== 'string' || root === undefined || !missing.delete(key)) {
      throw damaged(source.name, 'lists a storage that no tensor uses, or lists one twice');
    }
    const size =
      root.dtype === undefined ? unsupportedSize(source.name, root.className) : elementSize(root.dtype);
    const header = await read(position, 8);
    const count = Number(new DataView(header.buffer).getBigInt64(0, true));
    if (count !== root.count)
      throw damaged(source.name, `storage ${key} has ${count} elements instead of ${root.count}`);
    const start = position + 8;
    position = start + count * size;
    if (position > source.size) throw damaged(source.name, `is cut off inside storage ${key}`);
    root.place.bytes = storedAt(source, start);
  }
  if (missing.size > 0) throw damaged(source.name, `lacks storage ${[...missing][0]}`);
}

function storedAt(source: ByteSource, start: number): StorageBytes {
  return {
    read: (offset, length) => source.use((read) => read(start + offset, length)),
    swapped: !HOST_IS_LITTLE_ENDIAN,
  };
}

/** The storages stand one behind the other, so one of unknown element size hides those after it. */
function unsupportedSize(where: string, className: string): number {
  const sizes: Record<string, number> = {
    ComplexFloat: 8,
    ComplexDouble: 16,
    QInt8: 1,
    QUInt8: 1,
    QInt32: 4,
  };
  const size = sizes[/(\w+)Storage$/.exec(className)?.[1] ?? ''];
  if (size === undefined) {
    throw new UserError('holds a storage of an element type that is not known', {
      where,
      key: className,
      remedy: 'load it in Python and save it again with a current PyTorch',
    });
  }
  return size;
}
