/** A results file into columns: whole, or a part of it for each thread. */

import { JsonReader } from '../json/reader.js';
import type { JsonSource } from '../json/source.js';
import { AnnotationTable } from './annotation-table.js';
import { IdCodes } from './id-codes.js';
import { AnnotationReader, type Keep } from './read-annotation.js';
import { completeResults, type ResultKind, resultKind } from './results.js';

const OPEN_ARRAY = 0x5b;
const OPEN_OBJECT = 0x7b;

/** What a part of the file is read as. */
export interface ReadResultsOptions {
  /** What the evaluation compares. Masks and keypoints that are the results' only geometry are kept in any case. */
  keep: Keep;
  /** What the results are; undefined: the first entry of the list says it. */
  kind?: ResultKind | undefined;
  /** Byte where the next part begins; the last part has none. */
  stop?: number;
}

export interface ResultsPart {
  readonly table: AnnotationTable;
  /** The ids of images behind the codes of the table: see `IdCodes`. */
  readonly texts: readonly string[];
  /** First byte of the entry that follows, or the end of the file. */
  readonly end: number;
}

/**
 * Reads a list of results, or from a source that starts at an entry on.
 *
 * @throws UserError with the byte of the file: not JSON, no list, wrong types, missing fields
 */
export function readResults(
  source: JsonSource,
  { keep, kind, stop = Number.POSITIVE_INFINITY }: ReadResultsOptions,
): ResultsPart {
  const reader = new JsonReader(source);
  const table = new AnnotationTable();
  const ids = new IdCodes();
  let entries: AnnotationReader | undefined;
  const error = (problem: string) => reader.error(`in the result that ends here: ${problem}`);
  const read = () => {
    if (entries === undefined) {
      kind ??= firstKind(reader);
      const kept = {
        boxes: kind !== 'keypoints',
        masks: keep.masks || kind === 'segm',
        keypoints: keep.keypoints || kind === 'keypoints',
      };
      entries = new AnnotationReader(reader, table, { role: 'result', keep: kept, ids });
    }
    const row = entries.read();
    const { image, category, score } = table.columns;
    if (Number.isNaN(image[row])) throw error('it has no image_id');
    if (Number.isNaN(category[row])) throw error('it has no category_id');
    if (Number.isNaN(score[row])) throw error('it has no score');
    completeResults(table, kind as ResultKind, row, error);
    table.count++;
  };
  let more: boolean;
  if (source.start > 0) more = reader.elementsUntil(read, stop);
  else {
    expectList(reader);
    more = reader.whole(() => reader.firstElement()) && reader.elementsUntil(read, stop);
  }
  if (!more) reader.finish();
  return { table, texts: ids.texts, end: more ? reader.offset : source.size };
}

/** What the results of a file are, as its first entry says; undefined for an empty list. */
export function readKind(source: JsonSource): ResultKind | undefined {
  const reader = new JsonReader(source);
  expectList(reader);
  return reader.whole(() => (reader.firstElement() ? firstKind(reader) : undefined));
}

function expectList(reader: JsonReader): void {
  const start = reader.whole(() => reader.peek());
  if (start === OPEN_ARRAY) return;
  throw reader.error(
    'expected a list of results [{...}, ...]',
    start === OPEN_OBJECT
      ? 'this is an object, as ground truth is: were the two files exchanged?'
      : undefined,
  );
}

/** Leaves the reader before the entry. */
function firstKind(reader: JsonReader): ResultKind {
  reader.peek();
  const start = reader.at;
  const kind = resultKind(reader.value(), (problem) => reader.error(problem));
  reader.at = start;
  return kind;
}
