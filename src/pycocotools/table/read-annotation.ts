/** One entry of `annotations`, or of a results file, from JSON into a row of a table. */

import type { IouType } from '../evaluation/params.js';
import { KeyTable } from '../json/keys.js';
import { END, type JsonReader } from '../json/reader.js';
import { type AnnotationTable, Shape, UNCLEAR } from './annotation-table.js';
import type { IdCodes } from './id-codes.js';

/** What is kept besides numbers. */
export interface Keep {
  /** Default true. */
  boxes?: boolean;
  masks: boolean;
  keypoints: boolean;
  /** Names of the images' files. */
  files?: boolean;
  /** Leave out polygons of fewer than three points or half a point, as Detectron2 does, in place of refusing them. */
  dropInvalidPolygons?: boolean;
}

/** Whose entries are read: `loadRes` gives results a number and an area of its own, and truths have no score. */
export type Role = 'truth' | 'result';

/** What an evaluation compares. */
export function keepFor(iouType: IouType): Keep {
  const masks = iouType === 'segm' || iouType === 'boundary';
  return { boxes: !masks, masks, keypoints: iouType === 'keypoints' };
}

const KEYS = new KeyTable([
  'image_id',
  'category_id',
  'id',
  'bbox',
  'area',
  'score',
  'iscrowd',
  'ignore',
  'num_keypoints',
  'segmentation',
  'keypoints',
]);
const RUN_KEYS = new KeyTable(['size', 'counts']);

const QUOTE = 0x22;
const NULL = 0x6e;
const TRUE = 0x74;
const FALSE = 0x66;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;
const OPEN_ARRAY = 0x5b;
const OPEN_OBJECT = 0x7b;

/** Keys whose values are read; what nobody uses may hold anything. */
export function wantedKeys(role: Role, { boxes = true, masks, keypoints }: Keep): ReadonlySet<string> {
  const own =
    role === 'truth'
      ? ['id', 'area', 'iscrowd', 'ignore', ...(keypoints ? ['num_keypoints'] : [])]
      : ['score'];
  return new Set([
    'image_id',
    'category_id',
    ...own,
    ...(boxes ? ['bbox'] : []),
    ...(masks ? ['segmentation'] : []),
    ...(keypoints ? ['keypoints'] : []),
  ]);
}

/**
 * The id of an image at which the reader stands, as a number for a column.
 *
 * @throws UserError when it is neither a whole number nor a text
 */
export function readImageId(reader: JsonReader, key: string, ids: IdCodes): number {
  const id = reader.id();
  if (typeof id === 'number') return id;
  if (!id.startsWith('"') && !/^-?\d+$/.test(id)) {
    throw reader.error(`${key} must be a whole number or a text, not ${id}`);
  }
  return ids.codeOf(id);
}

/**
 * Reads entries; holds what is needed again for each of them. A value of null is one that is not there, as a table of
 * another program leaves empty cells.
 */
export class AnnotationReader {
  readonly #reader: JsonReader;
  readonly #table: AnnotationTable;
  readonly #ids: IdCodes;
  /** By position in `KEYS`. */
  readonly #wanted: readonly boolean[];
  readonly #dropInvalid: boolean;
  #numbers = new Float64Array(256);
  #used = 0;

  /** @param ids gets the codes of images that have no number */
  constructor(
    reader: JsonReader,
    table: AnnotationTable,
    { role, keep, ids }: { role: Role; keep: Keep; ids: IdCodes },
  ) {
    this.#reader = reader;
    this.#table = table;
    this.#ids = ids;
    this.#dropInvalid = keep.dropInvalidPolygons ?? false;
    const wanted = wantedKeys(role, keep);
    this.#wanted = KEYS.names.map((name) => wanted.has(name));
  }

  /** Reads an object into the table's next row, without counting the row yet. @returns the row */
  read(): number {
    const reader = this.#reader;
    const table = this.#table;
    const row = table.next();
    const { columns } = table;
    for (let key = reader.firstKey(KEYS); key !== END; key = reader.nextKey(KEYS)) {
      if (!this.#wanted[key] || reader.peek() === NULL) {
        reader.skip();
        continue;
      }
      switch (key) {
        case 0:
          columns.image[row] = readImageId(reader, 'image_id', this.#ids);
          break;
        case 1:
          columns.category[row] = this.#id('category_id');
          break;
        case 2:
          columns.id[row] = this.#id('id');
          break;
        case 3:
          this.#box(row);
          break;
        case 4:
          columns.area[row] = reader.number();
          break;
        case 5:
          columns.score[row] = reader.number();
          break;
        case 6:
          columns.crowd[row] = this.#flag('iscrowd');
          break;
        case 7:
          columns.ignore[row] = this.#ignore();
          break;
        case 8:
          columns.labelled[row] = reader.number();
          break;
        case 9:
          this.#segmentation(row);
          break;
        case 10:
          this.#used = 0;
          this.#list();
          table.setKeypoints(row, this.#numbers.subarray(0, this.#used));
          break;
      }
    }
    return row;
  }

  #id(key: string): number {
    const value = this.#reader.number();
    if (!Number.isSafeInteger(value)) throw this.#reader.error(`${key} must be a whole number, not ${value}`);
    return value;
  }

  /** 0 or 1; also as true or false. */
  #flag(key: string): number {
    const reader = this.#reader;
    const start = reader.peek();
    if (start === TRUE || start === FALSE) {
      reader.skip();
      return start === TRUE ? 1 : 0;
    }
    const value = reader.number();
    if (value !== 0 && value !== 1) throw reader.error(`${key} must be 0 or 1, not ${value}`);
    return value;
  }

  /** pycocotools overwrites the field, so a value that says neither yes nor no matters only where it is asked for. */
  #ignore(): number {
    const reader = this.#reader;
    const start = reader.peek();
    if (start === MINUS || (start >= ZERO && start <= NINE)) return reader.number() === 0 ? 0 : 1;
    reader.skip();
    return start === TRUE ? 1 : start === FALSE ? 0 : UNCLEAR;
  }

  #box(row: number): void {
    const reader = this.#reader;
    const { box } = this.#table.columns;
    if (!reader.firstElement()) return;
    let count = 0;
    do {
      const value = reader.number();
      if (count < 4) box[4 * row + count] = value;
      count++;
    } while (reader.nextElement());
    if (count !== 4) throw reader.error(`bbox must be [x, y, width, height], not ${count} numbers`);
  }

  #segmentation(row: number): void {
    const reader = this.#reader;
    const start = reader.peek();
    if (start === OPEN_OBJECT) this.#runs(row);
    else if (start === OPEN_ARRAY) this.#polygons(row);
    else throw reader.error('segmentation must be a list of polygons or an object with size and counts');
  }

  #polygons(row: number): void {
    const reader = this.#reader;
    this.#used = 0;
    if (reader.firstElement()) {
      do {
        const head = this.#used;
        this.#push(0);
        if (reader.peek() !== OPEN_ARRAY)
          throw reader.error('a polygon must be a list of numbers [x0, y0, x1, y1, ...]');
        this.#list();
        const count = this.#used - head - 1;
        if (count >= 6 && count % 2 === 0) {
          this.#numbers[head] = count;
        } else if (this.#dropInvalid) {
          this.#used = head;
          this.#table.columns.dropped[row]++;
        } else {
          throw reader.error(
            `a polygon must have three points or more, x and y of each, not ${count} numbers`,
          );
        }
      } while (reader.nextElement());
    }
    if (this.#used === 0) {
      if (this.#dropInvalid) return;
      throw reader.error('segmentation must have a polygon');
    }
    this.#table.setNumbers(row, Shape.polygons, this.#numbers.subarray(0, this.#used));
  }

  #runs(row: number): void {
    const reader = this.#reader;
    const table = this.#table;
    let size: [number, number] | undefined;
    let coded: { start: number; end: number; escaped: boolean; text: string | undefined } | undefined;
    let plain = false;
    for (let key = reader.firstKey(RUN_KEYS); key !== END; key = reader.nextKey(RUN_KEYS)) {
      if (key === 0) size = this.#size();
      else if (key === 1 && reader.peek() === QUOTE) {
        reader.string();
        const { stringStart: start, stringEnd: end, escaped } = reader;
        // Of the escapes, the code uses the backslash itself only; any other may stand for it as \u005c.
        coded = { start, end, escaped, text: escaped && !reader.backslashesOnly ? reader.text() : undefined };
      } else if (key === 1) {
        plain = true;
        this.#used = 0;
        this.#list();
        for (let i = 0; i < this.#used; i++) {
          const run = this.#numbers[i];
          if (!(run >= 0 && run <= 0x7fffffff && Number.isInteger(run))) {
            throw reader.error(`run ${i} of counts must be a whole number from 0 on, not ${run}`);
          }
        }
      } else reader.skip();
    }
    if (size === undefined) throw reader.error('segmentation must have a size [height, width]');
    if (coded !== undefined) {
      const { start, end, escaped, text } = coded;
      if (text !== undefined) table.setCoded(row, Shape.codedRuns, Buffer.from(text), size);
      else
        table.setCoded(
          row,
          escaped ? Shape.escapedRuns : Shape.codedRuns,
          reader.bytes.subarray(start, end),
          size,
        );
    } else if (plain) table.setNumbers(row, Shape.runs, this.#numbers.subarray(0, this.#used), size);
    else throw reader.error('segmentation must have counts, a string or a list of runs');
  }

  #size(): [number, number] {
    const reader = this.#reader;
    const sides: number[] = [];
    if (reader.firstElement()) {
      do sides.push(reader.number());
      while (reader.nextElement());
    }
    const [height, width] = sides;
    const fits = (side: number) => Number.isInteger(side) && side >= 0 && side <= 0x7fffffff;
    if (sides.length !== 2 || !fits(height) || !fits(width)) {
      throw reader.error('size must be two whole numbers [height, width]');
    }
    return [height, width];
  }

  /** Appends a list of numbers to `#numbers`. */
  #list(): void {
    const reader = this.#reader;
    if (!reader.firstElement()) return;
    do this.#push(reader.number());
    while (reader.nextElement());
  }

  #push(value: number): void {
    if (this.#used === this.#numbers.length) {
      const larger = new Float64Array(2 * this.#used);
      larger.set(this.#numbers);
      this.#numbers = larger;
    }
    this.#numbers[this.#used++] = value;
  }
}
