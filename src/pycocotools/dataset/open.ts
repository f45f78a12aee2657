/** A COCO file as objects: the whole of it, read as a stream, whatever its size. */

import { JsonReader } from '../json/reader.js';
import type { JsonSource } from '../json/source.js';
import type { Dataset, Result } from './types.js';

/** Fields that every entry of a list must have, as whole numbers. */
const IDS: Readonly<Record<string, readonly string[]>> = {
  images: ['id'],
  categories: ['id'],
  annotations: ['id', 'image_id', 'category_id'],
};

/** Where an id may be a text: some data sets name their images. */
const IMAGE_IDS: ReadonlySet<string> = new Set(['images/id', 'annotations/image_id']);

function isId(value: unknown, orText: boolean): boolean {
  return Number.isSafeInteger(value) || (orText && typeof value === 'string');
}

/** @throws UserError with the byte of the file: not JSON, no object, entries without ids */
export function readDataset(source: JsonSource): Dataset {
  const reader = new JsonReader(source);
  const dataset: Dataset = {};
  reader.members((key) => {
    const ids = IDS[key];
    if (ids === undefined) {
      dataset[key] = reader.whole(() => reader.value());
      return;
    }
    const list: Record<string, unknown>[] = [];
    reader.elements((index) => {
      const entry = record(reader, `entry ${index} of ${key}`);
      for (const id of ids) {
        // Captions and panoptic files have annotations without a category.
        if (id === 'category_id' && entry[id] === undefined) continue;
        if (!isId(entry[id], IMAGE_IDS.has(`${key}/${id}`))) {
          throw reader.error(
            `entry ${index} of ${key}: ${id} must be a whole number, not ${JSON.stringify(entry[id])}`,
            typeof entry[id] === 'number' && Number.isInteger(entry[id])
              ? `numbers above ${Number.MAX_SAFE_INTEGER} are not exact in JavaScript: write such ids as texts`
              : undefined,
          );
        }
      }
      list.push(entry);
    });
    dataset[key] = list;
  });
  reader.finish();
  return dataset;
}

/** @throws UserError with the byte of the file: not JSON, no list of objects */
export function readResultList(source: JsonSource): Result[] {
  const reader = new JsonReader(source);
  const list: Result[] = [];
  reader.elements((index) => {
    list.push(record(reader, `result ${index}`) as unknown as Result);
  });
  reader.finish();
  return list;
}

function record(reader: JsonReader, what: string): Record<string, unknown> {
  const value = reader.value();
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw reader.error(`${what} must be an object`);
}

/** Reads and closes. */
export function consume<T>(source: JsonSource, read: (source: JsonSource) => T): T {
  try {
    return read(source);
  } finally {
    source.close();
  }
}
