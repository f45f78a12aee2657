/** A ground-truth file into columns: what evaluation needs of it, and nothing else in memory. */

import { UserError } from '../../core/errors.js';
import type { CategoryRecord, ImageRecord } from '../dataset/types.js';
import { JsonReader } from '../json/reader.js';
import type { ByteSource } from '../json/source.js';
import { AnnotationTable } from './annotation-table.js';
import { AnnotationReader, type Keep } from './read-annotation.js';

/** A data set whose annotations are columns. */
export interface DatasetTable {
  readonly where: string;
  readonly images: readonly ImageRecord[];
  readonly categories: readonly CategoryRecord[];
  readonly annotations: AnnotationTable;
}

/**
 * @throws UserError with the byte of the file: not JSON, wrong types, missing fields
 */
export function readDatasetTable(source: ByteSource, keep: Keep): DatasetTable {
  const reader = new JsonReader(source);
  const annotations = new AnnotationTable();
  const lists: { images?: ImageRecord[]; categories?: CategoryRecord[] } = {};
  let found = false;
  reader.members((key) => {
    if (key === 'annotations') {
      if (found) throw reader.error('a second list of annotations');
      found = true;
      readTruths(reader, annotations, keep);
    } else if (key === 'images' || key === 'categories') {
      lists[key] = readRecords(reader, key) as never;
    } else reader.skipLarge();
  });
  reader.finish();
  const { images, categories } = lists;
  const missing = Object.entries({ images, annotations: found || undefined, categories })
    .filter(([, list]) => list === undefined)
    .map(([key]) => key);
  if (images === undefined || categories === undefined || !found) {
    throw new UserError(`has no ${missing.join(' and no ')}`, {
      where: source.where,
      remedy: 'a ground-truth file is an object with the lists images, annotations and categories',
    });
  }
  return { where: source.where, images, categories, annotations };
}

function readTruths(reader: JsonReader, table: AnnotationTable, keep: Keep): void {
  const annotations = new AnnotationReader(reader, table, keep);
  reader.elements((index) => {
    const row = annotations.read();
    const { id, image, category } = table.columns;
    for (const [name, column] of [
      ['id', id],
      ['image_id', image],
      ['category_id', category],
    ] as const) {
      if (Number.isNaN(column[row])) throw reader.error(`annotation ${index} of the list has no ${name}`);
    }
    table.count++;
  });
}

/** Fields of images that evaluation reads; names and addresses of many thousand images would only fill the memory. */
const IMAGE_FIELDS = ['id', 'width', 'height', 'neg_category_ids', 'not_exhaustive_category_ids'] as const;

function readRecords(reader: JsonReader, list: 'images' | 'categories'): Record<string, unknown>[] {
  const records: Record<string, unknown>[] = [];
  reader.elements((index) => {
    const record = reader.value();
    if (typeof record !== 'object' || record === null || Array.isArray(record)) {
      throw reader.error(`entry ${index} of ${list} must be an object`);
    }
    const { id } = record as { id?: unknown };
    if (!Number.isSafeInteger(id)) {
      throw reader.error(`entry ${index} of ${list}: id must be a whole number, not ${JSON.stringify(id)}`);
    }
    records.push(
      list === 'images'
        ? Object.fromEntries(Object.entries(record).filter(([key]) => IMAGE_FIELDS.includes(key as never)))
        : (record as Record<string, unknown>),
    );
  });
  return records;
}
