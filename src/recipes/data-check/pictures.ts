/** Decodes every picture of a data set once, small, and compares all of them. */

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { availableParallelism } from 'node:os';
import { extname } from 'node:path';
import type { LiveLog } from '../../core/log.js';
import type { ImageTable } from '../../data/image-table.js';
import { forEachIndex } from '../../data/pool.js';
import { thumbnail } from '../../image/thumbnail.js';
import { ImageError, type ImageFormat, type RawImage } from '../../image/types.js';
import { Progress } from '../../report/progress.js';
import { type Finding, finding, medianOf } from './report.js';

/** Longer side of what is looked at, pixels. */
const LOOK = 32;
/** Shorter sides, pixels, that no view can be cut from without being enlarged. */
const TINY = 32;
/** Largest difference of grey levels of a picture that shows nothing. */
const FLAT = 8;

const SUFFIXES: Readonly<Record<ImageFormat, readonly string[]>> = {
  jpeg: ['.jpg', '.jpeg', '.jpe', '.jfif'],
  png: ['.png'],
  webp: ['.webp'],
  tiff: ['.tif', '.tiff'],
  gif: ['.gif'],
  avif: ['.avif'],
};

interface Seen {
  readonly damaged: string[];
  readonly flat: string[];
  /** Positions of files by the hash of their bytes. */
  readonly byHash: Map<string, number[]>;
}

export async function checkPictures(images: ImageTable, log: LiveLog): Promise<Finding[]> {
  const { damaged, flat, byHash } = await look(images, log);
  const twins = [...byHash.values()]
    .filter((group) => group.length > 1)
    .map((group) => group.sort((a, b) => a - b));
  const names = (rows: readonly number[]) => rows.map((row) => images.name(row));
  const rows = Array.from({ length: images.count }, (_, row) => row);
  const tiny = rows.filter((row) => Math.min(images.width(row), images.height(row)) < TINY);
  const misnamed = rows.filter(
    (row) => !SUFFIXES[images.info(row).format].includes(extname(images.name(row)).toLowerCase()),
  );
  const turned = rows.filter((row) => images.info(row).orientation > 1);
  const acrossLabels = twins.filter((group) => new Set(group.map((row) => images.label(row))).size > 1);
  return [
    ...finding(
      'damaged',
      'files that are damaged behind their header',
      damaged.sort(),
      'get them again, or delete them: training puts other images in their place and lists them',
    ),
    ...finding(
      'duplicates',
      'files that hold the same bytes as another',
      twins
        .map((group) => `${names(group).slice(0, 3).join(' = ')}${group.length > 3 ? ' = ...' : ''}`)
        .sort(),
      'keep one of each: what is in train and in val makes val easy',
      { count: twins.reduce((sum, group) => sum + group.length - 1, 0) },
    ),
    ...finding(
      'contradictions',
      'pictures that are in several classes',
      acrossLabels.map((group) => names(group).join(' = ')).sort(),
      'decide on one class: labels that contradict each other teach nothing',
    ),
    ...finding(
      'flat',
      'pictures of one colour',
      flat.sort(),
      'look at some: they may be left over from a failed export',
    ),
    ...finding(
      'tiny',
      `pictures with a side below ${TINY} pixels`,
      tiny.map((row) => `${images.name(row)}: ${images.width(row)}x${images.height(row)}`),
      'they are enlarged until little of a view is left; leave them out',
    ),
    ...finding(
      'misnamed',
      'files whose name says another format',
      misnamed.map((row) => `${images.name(row)} is ${images.info(row).format}`),
      'they are read by their content here; other programs may refuse them',
    ),
    ...finding(
      'turned',
      'pictures with an EXIF orientation',
      names(turned),
      'they are turned upright when they are read; annotations that were made on them as they lie are off',
    ),
  ];
}

async function look(images: ImageTable, log: LiveLog): Promise<Seen> {
  const seen: Seen = { damaged: [], flat: [], byHash: new Map() };
  const progress = new Progress(log, { label: 'looking at pictures', total: images.count, unit: 'files' });
  let done = 0;
  await forEachIndex(images.count, 2 * availableParallelism(), async (row) => {
    const name = images.name(row);
    try {
      if (contrast(await thumbnail(images.path(row), LOOK)) < FLAT) seen.flat.push(name);
      const hash = await hashOf(images.path(row));
      seen.byHash.set(hash, [...(seen.byHash.get(hash) ?? []), row]);
    } catch (error) {
      if (!(error instanceof ImageError)) throw error;
      seen.damaged.push(`${name}: ${error.reason}`);
    }
    progress.update(++done);
  });
  progress.finish();
  return seen;
}

/** Difference of the largest and the smallest value of a channel, the largest of the three. */
function contrast({ data }: RawImage): number {
  const [low, high] = [
    [255, 255, 255],
    [0, 0, 0],
  ];
  for (let i = 0; i < data.length; i++) {
    const channel = i % 3;
    low[channel] = Math.min(low[channel], data[i]);
    high[channel] = Math.max(high[channel], data[i]);
  }
  return Math.max(...high.map((value, channel) => value - low[channel]));
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path)) hash.update(piece as Buffer);
  return hash.digest('base64');
}

/** `300 to 504 pixels high and wide; in the middle 378 x 504` */
export function sizesText({ columns: { widths, heights } }: ImageTable): string {
  const shorter = widths.map((width, i) => Math.min(width, heights[i]));
  const ends = (values: Uint32Array) => {
    const sorted = Float64Array.from(values).sort();
    return [sorted[0], medianOf(values), sorted[sorted.length - 1]] as const;
  };
  const [least, middle, most] = ends(shorter);
  return `shorter side ${least} to ${most} pixels, half of them below ${middle}`;
}
