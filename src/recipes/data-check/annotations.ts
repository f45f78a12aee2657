/** A file of annotations in COCO's form with its images, before a detector is trained on it. */

import { resolve } from 'node:path';
import { UserError } from '../../core/errors.js';
import type { LiveLog } from '../../core/log.js';
import { type DetectionDataset, openDetectionDataset } from '../../data/detection-dataset.js';
import { objectsOf } from '../../data/detection-records.js';
import { withHeaderProgress } from '../shared/header-progress.js';
import { checkPictures, sizesText } from './pictures.js';
import { type DataReport, type Finding, finding } from './report.js';

/** COCO's bounds of small, medium and large, square pixels. */
const [SMALL, LARGE] = [32 ** 2, 96 ** 2];
/** Of `detection/one_machine`. */
const RECIPE = { name: 'one_machine', batch: 2, steps: 3000 };

export interface AnnotationOptions {
  readonly annotations: string;
  /** Folder that each `file_name` is relative to. */
  readonly images: string;
  /** Every object needs a mask. */
  readonly masks: boolean;
}

/** @throws UserError when nothing can be learned from it at all */
export async function checkAnnotations(
  { annotations, images, masks }: AnnotationOptions,
  log: LiveLog,
): Promise<DataReport> {
  const remarks: string[] = [];
  const hear = {
    ...log,
    live: log.live,
    width: log.width,
    info: () => {},
    debug: () => {},
    warn: (text: string) => void remarks.push(text),
  };
  const open = (skipInvalid: boolean) =>
    withHeaderProgress(log, (onProgress) =>
      openDetectionDataset({
        annotations,
        images,
        masks,
        skipInvalid,
        keepEmpty: true,
        onProgress,
        log: hear,
      }),
    );
  const faults = await open(false).then(() => undefined, refusal);
  remarks.length = 0;
  const dataset = faults === undefined ? await open(false) : await open(true);
  const counts = countObjects(dataset);
  const odd = remarks.filter((line) => !line.includes('what has a fault is left out'));
  return {
    where: annotations,
    images: dataset.count,
    facts: [
      `${dataset.count} images, ${sizesText(dataset.files)}`,
      `${counts.objects} objects of ${dataset.classes.length} classes, ${counts.crowds} of them crowds; ${(counts.objects / dataset.count).toFixed(1)} an image`,
      `${counts.small} small (below 32 x 32 pixels), ${counts.medium} medium, ${counts.large} large (from 96 x 96)`,
      balanceText(dataset, counts.byClass),
    ],
    findings: [
      ...(faults === undefined ? [] : [faults]),
      ...odd.map(
        (line): Finding => ({
          kind: 'odd',
          what: line.slice(`${resolve(annotations)}: `.length),
          count: 1,
          examples: [],
          advice: 'nothing has to be done',
          refused: false,
        }),
      ),
      ...finding(
        'unused',
        'classes without an object',
        dataset.classes.filter((_, k) => counts.byClass[k] === 0),
        'take them out of the categories, or they are never found',
      ),
      ...finding(
        'empty',
        'images without objects',
        counts.empty,
        'they are left out of training (dataset/keep_empty keeps them), and evaluated',
      ),
      ...(await checkPictures(dataset.files, log)),
    ],
    advice: advice(dataset),
  };
}

/** What training would say. @throws what is no refusal of single entries */
function refusal(error: unknown): Finding {
  if (!(error instanceof UserError) || !error.problem.startsWith('the data set has ')) throw error;
  const [first, ...lines] = error.problem.split('\n');
  const count = Number(/\d+/.exec(first)?.[0]);
  return {
    kind: 'faults',
    what: 'faults that training refuses',
    count,
    examples: lines.map((line) => line.trim()),
    advice: 'mend them, or leave them out with --dataset/skip_invalid true',
    refused: true,
  };
}

function countObjects(dataset: DetectionDataset) {
  const counts = {
    objects: 0,
    crowds: 0,
    small: 0,
    medium: 0,
    large: 0,
    byClass: dataset.classes.map(() => 0),
    empty: [] as string[],
  };
  for (let image = 0; image < dataset.count; image++) {
    const { boxes, classes, crowd } = objectsOf(dataset.records, image);
    if (classes.length === 0) counts.empty.push(dataset.files.name(dataset.fileOf[image]));
    for (let i = 0; i < classes.length; i++) {
      const [x0, y0, x1, y1] = boxes.subarray(4 * i, 4 * i + 4);
      const area = (x1 - x0) * (y1 - y0);
      counts.objects++;
      counts.crowds += crowd[i];
      counts[area < SMALL ? 'small' : area < LARGE ? 'medium' : 'large']++;
      counts.byClass[classes[i]]++;
    }
  }
  return counts;
}

function balanceText({ classes }: DetectionDataset, byClass: readonly number[]): string {
  const order = classes.map((name, k) => ({ name, count: byClass[k] })).sort((a, b) => b.count - a.count);
  const [most, least] = [order[0], order[order.length - 1]];
  return order.length === 1
    ? `one class: ${most.name}`
    : `most objects: ${most.name} (${most.count}); fewest: ${least.name} (${least.count})`;
}

function advice({ count, files }: DetectionDataset): string[] {
  const { name, batch, steps } = RECIPE;
  const epochs = (steps * batch) / count;
  const lines = [`--config ${name}: ${steps} steps of ${batch} images are ${epochs.toFixed(1)} epochs`];
  if (epochs < 12)
    lines.push(
      `COCO's 1x is 12 epochs: add --train/max_steps ${100 * Math.ceil((12 * count) / batch / 100)}, and fall at two and nine tenths of it with --train/steps_at`,
    );
  if (files.count < 100)
    lines.push('with so few images AP moves by several points from seed to seed: compare several seeds');
  return lines;
}
