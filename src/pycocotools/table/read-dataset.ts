/** A ground-truth file into columns: what evaluation needs of it, and nothing else in memory. */

import { UserError } from '../../core/errors.js';
import type { CategoryRecord, ImageRecord } from '../dataset/types.js';
import { KeyTable } from '../json/keys.js';
import { END, JsonReader } from '../json/reader.js';
import type { JsonSource } from '../json/source.js';
import { AnnotationTable } from './annotation-table.js';
import { IdCodes } from './id-codes.js';
import { AnnotationReader, type Keep, readImageId } from './read-annotation.js';

const OPEN_ARRAY = 0x5b;
const OPEN_OBJECT = 0x7b;

/** A data set whose annotations are columns. */
export interface DatasetTable {
  readonly where: string;
  readonly images: readonly ImageRow[];
  readonly categories: readonly CategoryRecord[];
  readonly annotations: AnnotationTable;
  /** Ids of images that are texts or too large; everywhere else, their codes stand for them. */
  readonly ids: IdCodes;
}

/** What is read of an image; evaluation asks for no names, which of many thousand images would only fill the memory. */
export interface ImageRow extends Pick<ImageRecord, ImageField> {
  /** Of the file, or the code of a text. */
  readonly id: number;
}

type ImageField = 'width' | 'height' | 'file_name' | 'neg_category_ids' | 'not_exhaustive_category_ids';

const IMAGE_FIELDS = ['id', 'width', 'height', 'neg_category_ids', 'not_exhaustive_category_ids'];
const IMAGE_KEYS = new KeyTable(IMAGE_FIELDS);
const NAMED_IMAGE_KEYS = new KeyTable([...IMAGE_FIELDS, 'file_name']);

/**
 * @throws UserError with the byte of the file: not JSON, wrong types, missing fields
 */
export function readDatasetTable(source: JsonSource, keep: Keep): DatasetTable {
  const reader = new JsonReader(source);
  const annotations = new AnnotationTable();
  const ids = new IdCodes();
  const lists: { images?: ImageRow[]; categories?: CategoryRecord[] } = {};
  let found = false;
  if (reader.whole(() => reader.peek()) === OPEN_ARRAY) {
    throw reader.unexpected('an object', 'this is a list, as results are: were the two files exchanged?');
  }
  reader.members((key) => {
    if (key === 'annotations') {
      if (found) throw reader.error('a second list of annotations');
      found = true;
      readTruths(reader, annotations, keep, ids);
    } else if (key === 'images' || key === 'categories') {
      if (key === 'images')
        lists.images = readImages(reader, ids, keep.files ? NAMED_IMAGE_KEYS : IMAGE_KEYS);
      else lists.categories = readCategories(reader);
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
  return { where: source.where, images, categories, annotations, ids };
}

function readTruths(reader: JsonReader, table: AnnotationTable, keep: Keep, ids: IdCodes): void {
  const annotations = new AnnotationReader(reader, table, { role: 'truth', keep, ids });
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

function readImages(reader: JsonReader, ids: IdCodes, keys: KeyTable<string>): ImageRow[] {
  const rows: ImageRow[] = [];
  reader.elements((index) => {
    if (reader.peek() !== OPEN_OBJECT) throw reader.error(`entry ${index} of images must be an object`);
    let id: number | undefined;
    const fields: Record<string, unknown> = {};
    for (let key = reader.firstKey(keys); key !== END; key = reader.nextKey(keys)) {
      if (key === 0) id = readImageId(reader, `entry ${index} of images: id`, ids);
      else if (key > 0) fields[keys.names[key]] = reader.value();
      else reader.skip();
    }
    if (id === undefined) throw reader.error(`entry ${index} of images has no id`);
    rows.push({ ...fields, id });
  });
  return rows;
}

function readCategories(reader: JsonReader): CategoryRecord[] {
  const records: CategoryRecord[] = [];
  reader.elements((index) => {
    const record = reader.value() as CategoryRecord;
    if (typeof record !== 'object' || record === null || Array.isArray(record)) {
      throw reader.error(`entry ${index} of categories must be an object`);
    }
    if (!Number.isSafeInteger(record.id)) {
      const found = JSON.stringify(record.id);
      throw reader.error(`entry ${index} of categories: id must be a whole number, not ${found}`);
    }
    records.push(record);
  });
  return records;
}
