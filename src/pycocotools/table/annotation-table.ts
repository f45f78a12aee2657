/**
 * Annotations or results in columns, in shared memory. Half a million detections are a few arrays, not half a million
 * objects, and every thread reads them where they are.
 *
 * Numbers that an entry does not have are NaN. Ids are those of the file. Masks stay as they were written (compressed
 * runs, plain runs or polygons) in a pool, until somebody asks for one.
 */

import type { Outline } from '../mask/outline.js';
import { boxToRle, polygonToRle } from '../mask/polygon.js';
import { merge, type Rle } from '../mask/rle.js';
import { decodeCounts, decoded } from '../mask/rle-string.js';
import { Pool, type PoolData } from './pool.js';

/** How `shape` of a row is stored. */
export const Shape = {
  none: 0,
  /** The bytes of a compressed string. */
  codedRuns: 1,
  /** The same as it stands in JSON, with every backslash doubled. */
  escapedRuns: 2,
  /** Doubles: runs. */
  runs: 3,
  /** Doubles: for each polygon how many numbers, then x0, y0, x1, y1, ... */
  polygons: 4,
} as const;

/** In the column `ignore`: the field holds something that is neither yes nor no. */
export const UNCLEAR = 2;

const COLUMNS = {
  id: Float64Array,
  image: Float64Array,
  category: Float64Array,
  score: Float64Array,
  /** Square pixels. */
  area: Float64Array,
  /** x, y, width, height: four values a row. */
  box: Float64Array,
  crowd: Uint8Array,
  /** The field `ignore`, which pycocotools overwrites. */
  ignore: Uint8Array,
  /** NaN without the field. */
  labelled: Float64Array,
  shape: Uint8Array,
  /** Rows and columns of a mask of runs. */
  height: Uint32Array,
  width: Uint32Array,
  /** Where in the pool, and how many bytes or doubles. */
  place: Float64Array,
  length: Uint32Array,
  /** Polygons that were left out as invalid. */
  dropped: Uint32Array,
  /** [x, y, v] * n in the pool, and how many numbers. */
  keypoints: Float64Array,
  keypointCount: Uint32Array,
} as const;

const WIDTHS: Partial<Record<keyof typeof COLUMNS, number>> = { box: 4 };

type Columns = { [Name in keyof typeof COLUMNS]: InstanceType<(typeof COLUMNS)[Name]> };

/** What another thread needs to open a table. */
export interface TableData {
  readonly count: number;
  readonly columns: { [Name in keyof Columns]: SharedArrayBuffer };
  readonly pool: PoolData;
}

export class AnnotationTable {
  /** Rows. */
  count = 0;
  /** Longer than `count`; replaced when the table grows. */
  columns: Columns;
  readonly pool: Pool;
  #room: number;
  #counts = new Uint32Array(1024);

  constructor(room = 1024) {
    this.#room = room;
    this.columns = allocate(room);
    this.pool = new Pool();
  }

  static from({ count, columns, pool }: TableData): AnnotationTable {
    return Object.assign(new AnnotationTable(0), { count, pool: Pool.from(pool), columns: opened(columns) });
  }

  /** The rows of several tables, one after the other; the pools are shared, not copied. */
  static concat(tables: readonly AnnotationTable[]): AnnotationTable {
    if (tables.length === 1) return tables[0];
    const joined = new AnnotationTable(tables.reduce((sum, { count }) => sum + count, 0));
    for (const { columns, count, pool } of tables) {
      const shift = joined.pool.append(pool);
      for (const name of Object.keys(COLUMNS) as (keyof Columns)[]) {
        const values = WIDTHS[name] ?? 1;
        joined.columns[name].set(columns[name].subarray(0, values * count), values * joined.count);
      }
      for (let row = joined.count; row < joined.count + count; row++) {
        joined.columns.place[row] += shift;
        joined.columns.keypoints[row] += shift;
      }
      joined.count += count;
    }
    return joined;
  }

  get data(): TableData {
    const buffers = Object.entries(this.columns).map(([name, column]) => [name, column.buffer]);
    return { count: this.count, columns: Object.fromEntries(buffers), pool: this.pool.data };
  }

  /** Makes room for one more row, empties it, and returns its number. It counts when `count` is raised. */
  next(): number {
    const row = this.count;
    if (row === this.#room) this.#grow();
    const { columns } = this;
    columns.id[row] = columns.image[row] = columns.category[row] = columns.score[row] = Number.NaN;
    columns.area[row] = columns.labelled[row] = columns.box[4 * row] = Number.NaN;
    columns.crowd[row] = columns.ignore[row] = columns.shape[row] = Shape.none;
    columns.keypointCount[row] = columns.dropped[row] = 0;
    return row;
  }

  /** Whether the row has a box. */
  hasBox(row: number): boolean {
    return !Number.isNaN(this.columns.box[4 * row]);
  }

  /** Whether the row's mask is runs, which have a size of their own. */
  hasRuns(row: number): boolean {
    const shape = this.columns.shape[row];
    return shape === Shape.codedRuns || shape === Shape.escapedRuns || shape === Shape.runs;
  }

  /** Sets a mask of runs by its compressed string; the bytes are copied. */
  setCoded(
    row: number,
    shape: typeof Shape.codedRuns | typeof Shape.escapedRuns,
    bytes: Uint8Array,
    [height, width]: readonly [number, number],
  ): void {
    const { columns, pool } = this;
    columns.shape[row] = shape;
    columns.place[row] = pool.put(bytes);
    columns.length[row] = bytes.length;
    columns.height[row] = height;
    columns.width[row] = width;
  }

  /** Sets polygons, or runs with the size [height, width] of their mask. */
  setNumbers(
    row: number,
    shape: typeof Shape.runs | typeof Shape.polygons,
    numbers: Float64Array,
    [height, width]: readonly [number, number] = [0, 0],
  ): void {
    const { columns } = this;
    columns.shape[row] = shape;
    columns.place[row] = this.pool.putDoubles(numbers);
    columns.length[row] = numbers.length;
    columns.height[row] = height;
    columns.width[row] = width;
  }

  setKeypoints(row: number, numbers: Float64Array): void {
    this.columns.keypoints[row] = this.pool.putDoubles(numbers);
    this.columns.keypointCount[row] = numbers.length;
  }

  keypointsOf(row: number): Float64Array {
    return this.#numbers(this.columns.keypoints[row], this.columns.keypointCount[row]);
  }

  /**
   * Number of ones in the mask of a row of runs, and its pixels in all.
   *
   * @throws RleStringError
   */
  runArea(row: number): { area: number; pixels: number } {
    const { place, length } = this.columns;
    if (this.columns.shape[row] !== Shape.runs) {
      this.#decode(row);
      return { area: decoded.ones, pixels: decoded.pixels };
    }
    let area = 0;
    let pixels = 0;
    this.#numbers(place[row], length[row]).forEach((run, i) => {
      pixels += run;
      if (i % 2 === 1) area += run;
    });
    return { area, pixels };
  }

  /**
   * The mask of a row; polygons are filled and united. A row without one has its box as its mask, as results of boxes have
   * in pycocotools.
   *
   * @param height, width of the image, for polygons and boxes
   * @param reuse the mask is good until the next one only: faster, when there are many
   * @throws RangeError, RleStringError for a mask that is none
   */
  mask(row: number, height: number, width: number, reuse = false): Rle {
    const { columns } = this;
    const place = columns.place[row];
    const length = columns.length[row];
    switch (columns.shape[row]) {
      case Shape.codedRuns:
      case Shape.escapedRuns: {
        if (this.#counts.length < length) this.#counts = new Uint32Array(2 * length);
        this.#decode(row, this.#counts);
        const counts = this.#counts.subarray(0, decoded.count);
        return {
          height: columns.height[row],
          width: columns.width[row],
          counts: reuse ? counts : counts.slice(),
        };
      }
      case Shape.runs:
        return {
          height: columns.height[row],
          width: columns.width[row],
          counts: Uint32Array.from(this.#numbers(place, length)),
        };
      case Shape.polygons: {
        return merge(this.#polygons(row).map((polygon) => polygonToRle(polygon, height, width)));
      }
      default: {
        const [x, y, w, h] = columns.box.subarray(4 * row, 4 * row + 4);
        return boxToRle([x, y, w, h], height, width);
      }
    }
  }

  /** The shape of a row as it was written, for who moves and scales it; undefined without one. Polygons are not copied. */
  outline(row: number): Outline | undefined {
    const { shape } = this.columns;
    if (shape[row] === Shape.none) return undefined;
    if (shape[row] !== Shape.polygons) return { runs: this.mask(row, 0, 0) };
    return { polygons: this.#polygons(row) };
  }

  #polygons(row: number): Float64Array[] {
    const numbers = this.#numbers(this.columns.place[row], this.columns.length[row]);
    const polygons: Float64Array[] = [];
    for (let at = 0; at < numbers.length; at += 1 + numbers[at]) {
      polygons.push(numbers.subarray(at + 1, at + 1 + numbers[at]));
    }
    return polygons;
  }

  #decode(row: number, counts?: Uint32Array): void {
    const { shape, place, length } = this.columns;
    const start = 8 * Pool.at(place[row]);
    const perBackslash = shape[row] === Shape.escapedRuns ? 2 : 1;
    decodeCounts(this.pool.bytes(place[row]), start, start + length[row], perBackslash, counts);
  }

  #numbers(place: number, length: number): Float64Array {
    const start = Pool.at(place);
    return length === 0 ? new Float64Array() : this.pool.doubles(place).subarray(start, start + length);
  }

  #grow(): void {
    this.#room = Math.max(1024, 2 * this.#room);
    const larger = allocate(this.#room);
    for (const name of Object.keys(COLUMNS) as (keyof Columns)[]) larger[name].set(this.columns[name]);
    this.columns = larger;
  }
}

function allocate(rows: number): Columns {
  const buffers = Object.entries(COLUMNS).map(([name, Kind]) => [
    name,
    new SharedArrayBuffer(rows * Kind.BYTES_PER_ELEMENT * (WIDTHS[name as keyof Columns] ?? 1)),
  ]);
  return opened(Object.fromEntries(buffers));
}

function opened(buffers: TableData['columns']): Columns {
  const columns = Object.entries(COLUMNS).map(([name, Kind]) => [
    name,
    new Kind(buffers[name as keyof Columns] as unknown as ArrayBuffer),
  ]);
  return Object.fromEntries(columns);
}
