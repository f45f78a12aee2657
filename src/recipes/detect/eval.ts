/** What the detector of a file is worth on annotated images: `scrl detect eval`. */

import { UserError } from '../../core/errors.js';
import { makeFolder } from '../../core/fs.js';
import { type LiveLog, SILENT } from '../../core/log.js';
import { openDetectionDataset } from '../../data/detection-dataset.js';
import type { DetectionEvaluation } from '../../evaluation/detections.js';
import type { WeightsStyle } from '../../models/backbone/resnet-layers.js';
import { type EngineOptions, openEngine } from '../shared/open-engine.js';
import { requireSameCategories } from './data.js';
import { evaluateDetector, figuresOf, requireEvaluable, writeDetectorResults } from './evaluate.js';
import { type ImageLimits, openDetector, openRunner, testSizeOf } from './open-detector.js';

export interface DetectEvalOptions {
  /** A run folder, or a file of any toolkit. */
  readonly weights: string;
  readonly annotations: string;
  /** Folder of the images. */
  readonly images: string;
  /** Folder for `coco_instances_results.json` and `results.json`; made. */
  readonly out: string;
  readonly style?: WeightsStyle | undefined;
  /** Of the resized images; default the file's, or Detectron2's. */
  readonly size?: ImageLimits;
  /** Images that are decoded at once. */
  readonly workers?: number;
  readonly engine?: EngineOptions;
  readonly log?: LiveLog;
}

export interface DetectEvalReport {
  readonly weights: string;
  readonly protocol: string | undefined;
  readonly evaluations: readonly DetectionEvaluation[];
  /** By Detectron2's names, percent. */
  readonly figures: Readonly<Record<string, number>>;
  readonly out: string;
}

/** @throws UserError when the file holds no detector, or one of other classes than the annotations */
export async function detectEval(options: DetectEvalOptions): Promise<DetectEvalReport> {
  const { weights, annotations, images, out, style, workers = 4, engine = {}, log = SILENT } = options;
  const opened = await openDetector(weights, style, log);
  const { masks, classes: count } = opened.options;
  const dataset = await openDetectionDataset({ annotations, images, masks, keepEmpty: true, log });
  const { path: where, classes, categoryIds } = opened;
  if (categoryIds !== undefined) requireSameCategories({ classes, categoryIds, where }, dataset);
  else if (dataset.classes.length !== count) {
    throw new UserError(`has ${dataset.classes.length} categories, but the detector ${count} classes`, {
      where: annotations,
      key: 'categories',
      remedy: 'evaluate it on annotations of the data that it was trained on',
    });
  } else if (opened.about.has('classes') && dataset.classes.some((name, i) => name !== classes[i])) {
    log.warn(`${annotations}: categories have other names than the detector's classes; their order counts`);
  }
  requireEvaluable(dataset);
  await makeFolder(out);
  log.info(`${opened.description}: ${where}`);
  const runtime = await openEngine(engine, log);
  try {
    const runner = await openRunner(runtime, opened);
    const { min, max } = testSizeOf(opened, options.size);
    const found = await evaluateDetector(
      runner,
      dataset,
      { min_size_test: min, max_size_test: max, workers },
      log,
    );
    const { protocol } = opened;
    await writeDetectorResults(out, found, { weights: where, protocol, annotations });
    return { weights: where, protocol, evaluations: found.evaluations, figures: figuresOf(found), out };
  } finally {
    runtime.close();
  }
}
