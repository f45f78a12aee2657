/** A results file into columns. */

import { JsonReader } from '../json/reader.js';
import type { ByteSource } from '../json/source.js';
import { AnnotationTable } from './annotation-table.js';
import { AnnotationReader, type Keep } from './read-annotation.js';
import { completeResults, resultKind } from './results.js';

/**
 * @param keep what the evaluation compares; masks of results without boxes are kept in any case, as their boxes and
 *   areas come from them
 * @throws UserError with the byte of the file: not JSON, no list, wrong types, missing fields
 */
export function readResultsTable(source: ByteSource, keep: Keep): AnnotationTable {
  const reader = new JsonReader(source);
  const table = new AnnotationTable();
  // Only the first entry says what the results are: it is read for that, then again into the table.
  let entries: AnnotationReader | undefined;
  let kind: ReturnType<typeof resultKind> = 'bbox';
  if (reader.whole(() => reader.peek()) !== 0x5b)
    throw reader.error('expected a list of results [{...}, ...]');
  reader.elements((index) => {
    if (entries === undefined) {
      const start = reader.at;
      kind = resultKind(reader.value() as Record<string, unknown>, (problem) => reader.error(problem));
      reader.at = start;
      entries = new AnnotationReader(reader, table, {
        masks: keep.masks || kind === 'segm',
        keypoints: keep.keypoints || kind === 'keypoints',
      });
    }
    const row = entries.read();
    const { image, category, score } = table.columns;
    for (const [name, column] of [
      ['image_id', image],
      ['category_id', category],
      ['score', score],
    ] as const) {
      if (Number.isNaN(column[row])) throw reader.error(`result ${index} has no ${name}`);
    }
    completeResults(table, kind, row, (problem) => reader.error(`result ${index}: ${problem}`));
    table.count++;
  });
  reader.finish();
  return table;
}
