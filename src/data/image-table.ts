/**
 * The images of a data set as columns: a million of them take about 80 MB instead of a million objects, and the columns
 * are what the cached index holds, byte for byte.
 */

import { resolve } from 'node:path';
import { IMAGE_FORMATS, type ImageInfo } from '../image/types.js';

/** One image while a table is being built. */
export interface ImageEntry {
  /** Relative to the root, `/` between folders; or absolute, as some annotation files have it. */
  name: string;
  info: ImageInfo;
  /** Index into the classes, or `NO_LABEL`. */
  label: number;
}

export const NO_LABEL = -1;

export interface ImageColumns {
  /** UTF-8 of all names, one after the other. */
  names: Uint8Array;
  /** [count + 1] where each name starts. */
  offsets: Uint32Array;
  /** [count] of the upright picture, in pixels. */
  widths: Uint32Array;
  heights: Uint32Array;
  labels: Int32Array;
  /** [count] 8 * index of the format + EXIF orientation - 1. */
  kinds: Uint8Array;
}

/** Read access by index, 0 to count - 1, in byte order of the names. */
export class ImageTable {
  readonly root: string;
  readonly columns: ImageColumns;
  readonly count: number;

  /** @param root absolute folder that the names are relative to */
  constructor(root: string, columns: ImageColumns) {
    this.root = root;
    this.columns = columns;
    this.count = columns.widths.length;
  }

  /** Relative to the root, `/` between folders; or absolute, as some annotation files have it. */
  name(index: number): string {
    const { names, offsets } = this.columns;
    return Buffer.from(names.buffer, names.byteOffset, names.byteLength).toString(
      'utf8',
      offsets[index],
      offsets[index + 1],
    );
  }

  /** Absolute. */
  path(index: number): string {
    return resolve(this.root, this.name(index));
  }

  /** Of the upright picture, in pixels. */
  width(index: number): number {
    return this.columns.widths[index];
  }

  height(index: number): number {
    return this.columns.heights[index];
  }

  /** Index into the classes, or `NO_LABEL`. */
  label(index: number): number {
    return this.columns.labels[index];
  }

  info(index: number): ImageInfo {
    const kind = this.columns.kinds[index];
    return {
      width: this.width(index),
      height: this.height(index),
      format: IMAGE_FORMATS[kind >> 3],
      orientation: (kind & 7) + 1,
    };
  }
}

export function buildColumns(entries: readonly ImageEntry[]): ImageColumns {
  const count = entries.length;
  const offsets = new Uint32Array(count + 1);
  for (const [i, { name }] of entries.entries()) offsets[i + 1] = offsets[i] + Buffer.byteLength(name);
  const names = Buffer.alloc(offsets[count]);
  const columns = {
    names,
    offsets,
    widths: new Uint32Array(count),
    heights: new Uint32Array(count),
    labels: new Int32Array(count),
    kinds: new Uint8Array(count),
  };
  for (const [i, { name, info, label }] of entries.entries()) {
    names.write(name, offsets[i]);
    columns.widths[i] = info.width;
    columns.heights[i] = info.height;
    columns.labels[i] = label;
    columns.kinds[i] = IMAGE_FORMATS.indexOf(info.format) * 8 + info.orientation - 1;
  }
  return columns;
}
