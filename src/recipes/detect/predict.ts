/**
 * What a detector finds in pictures: a picture of each with boxes, masks, names and scores, and `predictions.json`, a data set in
 * COCO's form whose annotations have scores.
 */

import { stat } from 'node:fs/promises';
import { basename, extname, join, resolve } from 'node:path';
import { takeRows } from '../../core/array.js';
import { UserError } from '../../core/errors.js';
import { makeFolder } from '../../core/fs.js';
import { type LiveLog, SILENT } from '../../core/log.js';
import { writeFileAtomic } from '../../core/replace.js';
import { imageFiles } from '../../data/image-files.js';
import type { ImageTable } from '../../data/image-table.js';
import type { Skipped } from '../../data/list-files.js';
import { padImages } from '../../data/pad-images.js';
import { shortestEdgeSize } from '../../data/shortest-edge.js';
import { decodeWhole } from '../../image/decode.js';
import { encodeJpeg } from '../../image/encode.js';
import { resizeBilinear } from '../../image/resize-bilinear.js';
import { ImageError, type RawImage } from '../../image/types.js';
import type { WeightsStyle } from '../../models/backbone/resnet-layers.js';
import type { ImageDetections } from '../../models/detection/detect-host.js';
import { fromRle } from '../../pycocotools/mask/index.js';
import { area } from '../../pycocotools/mask/rle.js';
import { drawDetections } from '../../report/draw-detections.js';
import { Progress } from '../../report/progress.js';
import { type EngineOptions, openEngine } from '../shared/open-engine.js';
import { openImages } from '../shared/open-images.js';
import { warnWithoutFonts } from '../shared/warn-without-fonts.js';
import { type ImageLimits, openDetector, openRunner, testSizeOf } from './open-detector.js';
import type { DetectorRunner } from './runner.js';

export interface PredictOptions {
  /** A run folder, or a file of any toolkit. */
  readonly weights: string;
  /** Files, and folders that are searched. */
  readonly images: readonly string[];
  /** Folder for the pictures; made. */
  readonly out: string;
  /** Detections of a lower score are left out. Default 0.5. */
  readonly threshold?: number;
  /** Names of the classes that are looked for; default all. */
  readonly classes?: readonly string[];
  /** For files that do not say it. */
  readonly style?: WeightsStyle | undefined;
  /** Of the resized images; default the file's, or Detectron2's. */
  readonly size?: ImageLimits;
  readonly engine?: EngineOptions;
  readonly log?: LiveLog;
}

export interface Prediction {
  readonly file: string;
  /** The picture that was drawn. */
  readonly picture: string;
  readonly width: number;
  readonly height: number;
  readonly detections: ImageDetections;
}

export interface PredictReport {
  readonly predictions: readonly Prediction[];
  /** Names, by class. */
  readonly classes: readonly string[];
  readonly json: string;
  readonly undecodable: readonly Skipped[];
}

/** @throws UserError when there is no detector, no such class, or nothing to look at */
export async function predict(options: PredictOptions): Promise<PredictReport> {
  const { weights, out, threshold = 0.5, style, engine = {}, log = SILENT } = options;
  const opened = await openDetector(weights, style, log);
  const wanted = wantedClasses(opened.classes, options.classes, opened.path);
  const tables = await openAll(options.images, log);
  await makeFolder(out);
  await warnWithoutFonts(log);
  log.info(`${opened.description}: ${opened.path}`);
  const runtime = await openEngine(engine, log);
  try {
    const runner = await openRunner(runtime, opened, { scoreThreshold: threshold });
    const look = { runner, size: testSizeOf(opened, options.size), wanted, names: opened.classes, out, log };
    const found = await predictAll(tables, look);
    const json = join(out, 'predictions.json');
    await writeFileAtomic(json, `${JSON.stringify(cocoDataset(found.predictions, opened))}\n`);
    return { ...found, classes: opened.classes, json };
  } finally {
    runtime.close();
  }
}

function wantedClasses(
  names: readonly string[],
  wanted: readonly string[] | undefined,
  where: string,
): ReadonlySet<number> | undefined {
  if (wanted === undefined) return undefined;
  const unknown = wanted.filter((name) => !names.includes(name));
  if (unknown.length > 0) {
    throw new UserError(
      `the detector knows no class ${unknown.map((name) => JSON.stringify(name)).join(', ')}`,
      {
        where,
        key: '--classes',
        remedy: `it knows ${names.slice(0, 20).join(', ')}${names.length > 20 ? ', ...' : ''}`,
      },
    );
  }
  return new Set(wanted.map((name) => names.indexOf(name)));
}

/** Folders are searched; a file that is named has to be a picture. */
async function openAll(paths: readonly string[], log: LiveLog): Promise<ImageTable[]> {
  const tables: ImageTable[] = [];
  for (const path of paths) {
    const isFolder = (await stat(path).catch(() => undefined))?.isDirectory() === true;
    tables.push(isFolder ? (await openImages({ root: path }, log)).images : await imageFiles('.', [path]));
  }
  return tables;
}

interface Look {
  readonly runner: DetectorRunner;
  readonly size: ImageLimits;
  readonly wanted: ReadonlySet<number> | undefined;
  readonly names: readonly string[];
  readonly out: string;
  readonly log: LiveLog;
}

async function predictAll(
  tables: readonly ImageTable[],
  look: Look,
): Promise<Pick<PredictReport, 'predictions' | 'undecodable'>> {
  const predictions: Prediction[] = [];
  const undecodable: Skipped[] = [];
  const total = tables.reduce((sum, { count }) => sum + count, 0);
  const progress = new Progress(look.log, { label: 'detecting', total, unit: 'images' });
  const name = uniqueNames();
  for (const table of tables) {
    for (let i = 0; i < table.count; i++) {
      try {
        predictions.push(await predictOne(table, i, name(table.path(i)), look));
      } catch (error) {
        if (!(error instanceof ImageError)) throw error;
        look.log.warn(`${error.path}: ${error.reason}`);
        undecodable.push({ path: error.path, reason: error.reason });
      }
      progress.update(predictions.length + undecodable.length);
    }
  }
  progress.finish();
  return { predictions, undecodable };
}

async function predictOne(table: ImageTable, index: number, name: string, look: Look): Promise<Prediction> {
  const { runner, size, wanted, names, out } = look;
  const [path, info] = [table.path(index), table.info(index)];
  const image = await decodeWhole(path, info);
  const to = shortestEdgeSize(info.width, info.height, size.min, size.max);
  const padded = padImages([resizeBilinear(image, to.width, to.height)]);
  const detections = only(await runner.detect(padded, info), wanted);
  const picture = join(out, name);
  await writeFileAtomic(picture, await encodeJpeg(await draw(image, detections, names)));
  return { file: path, picture, width: info.width, height: info.height, detections };
}

function draw(image: RawImage, detections: ImageDetections, names: readonly string[]): Promise<RawImage> {
  return drawDetections({ pixels: image, ...detections, names });
}

/** Those of some classes. */
function only(detections: ImageDetections, wanted: ReadonlySet<number> | undefined): ImageDetections {
  if (wanted === undefined) return detections;
  const { boxes, scores, classes, masks } = detections;
  const kept = Array.from(classes, (_, i) => i).filter((i) => wanted.has(classes[i]));
  return {
    boxes: takeRows(boxes, kept, 4),
    scores: takeRows(scores, kept, 1),
    classes: Int32Array.from(kept, (i) => classes[i]),
    ...(masks && { masks: kept.map((i) => masks[i]) }),
  };
}

/** `photo.jpg`, and `photo_2.jpg` for the next picture of that name. */
function uniqueNames(): (path: string) => string {
  const used = new Map<string, number>();
  return (path) => {
    const stem = basename(path, extname(path));
    const count = (used.get(stem) ?? 0) + 1;
    used.set(stem, count);
    return count === 1 ? `${stem}.jpg` : `${stem}_${count}.jpg`;
  };
}

/** Images are numbered from 1, as results are. */
function cocoDataset(
  predictions: readonly Prediction[],
  { classes, categoryIds }: { classes: readonly string[]; categoryIds: readonly number[] | undefined },
): object {
  const ids = categoryIds ?? classes.map((_, i) => i + 1);
  const annotations = predictions.flatMap(({ detections }, n) => {
    const { boxes, scores, classes: labels, masks } = detections;
    return Array.from(scores, (score, i) => {
      const [left, top, right, bottom] = boxes.subarray(4 * i, 4 * i + 4);
      const bbox = [left, top, right - left, bottom - top];
      const mask = masks?.[i];
      return {
        image_id: n + 1,
        category_id: ids[labels[i]],
        bbox,
        score,
        iscrowd: 0,
        area: mask === undefined ? bbox[2] * bbox[3] : area(mask),
        ...(mask && { segmentation: fromRle(mask) }),
      };
    });
  });
  return {
    images: predictions.map(({ file, width, height }, n) => ({
      id: n + 1,
      file_name: resolve(file),
      width,
      height,
    })),
    categories: classes.map((name, i) => ({ id: ids[i], name })),
    annotations: annotations.map((annotation, i) => ({ id: i + 1, ...annotation })),
  };
}
