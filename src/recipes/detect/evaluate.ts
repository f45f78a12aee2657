/** What a detector is worth on annotated images, by COCO's rules. */

import { join } from 'node:path';
import type { DetectConfig } from '../../config/schemas/detect.js';
import type { LiveLog } from '../../core/log.js';
import { writeFileAtomic } from '../../core/replace.js';
import { inOrder } from '../../data/aspect-batches.js';
import type { DetectionDataset } from '../../data/detection-dataset.js';
import { loadDetections } from '../../data/detection-loader.js';
import {
  cocoResults,
  type DetectionEvaluation,
  evaluateDetections,
  type FoundInImage,
  namedFigures,
} from '../../evaluation/detections.js';
import { COCO } from '../../pycocotools/dataset/coco.js';
import type { Result } from '../../pycocotools/dataset/types.js';
import { Progress } from '../../report/progress.js';
import { categoryIdsOf } from './data.js';
import type { DetectorRunner } from './runner.js';

export interface DetectorResults {
  /** Entries of `coco_instances_results.json`. */
  readonly results: readonly Result[];
  /** Boxes, then masks. */
  readonly evaluations: readonly DetectionEvaluation[];
  /** Files that could not be decoded: nothing was found in them. */
  readonly undecodable: readonly string[];
}

/** How images are resized and how many are decoded at once. */
export type EvaluationInput = Pick<DetectConfig['input'], 'min_size_test' | 'max_size_test'> & {
  workers: number;
};

/**
 * Holds the annotations to what COCO's evaluation asks of them, before anything is trained or detected: in the end it would be
 * too late.
 *
 * @throws UserError as `evaluateDetector` would
 */
export function requireEvaluable(dataset: DetectionDataset): void {
  compare(dataset, []);
}

/** @throws UserError when annotations cannot be compared with */
export async function evaluateDetector(
  runner: DetectorRunner,
  dataset: DetectionDataset,
  input: EvaluationInput,
  log: LiveLog,
): Promise<DetectorResults> {
  const { found, undecodable } = await detectAll(runner, dataset, input, log);
  const results = cocoResults(found, categoryIdsOf(dataset));
  return { results, evaluations: compare(dataset, results), undecodable };
}

function compare(
  { records: { where, masks } }: DetectionDataset,
  results: readonly Result[],
): DetectionEvaluation[] {
  const truth = COCO.open(where);
  const types = masks ? (['bbox', 'segm'] as const) : (['bbox'] as const);
  return types.map((type) => evaluateDetections(truth, results, type));
}

async function detectAll(
  runner: DetectorRunner,
  dataset: DetectionDataset,
  { min_size_test: shortEdge, max_size_test: maxSize, workers }: EvaluationInput,
  log: LiveLog,
): Promise<{ found: FoundInImage[]; undecodable: string[] }> {
  const found: FoundInImage[] = [];
  const undecodable: string[] = [];
  const progress = new Progress(log, { label: 'detecting', total: dataset.count, unit: 'images' });
  const batches = loadDetections({
    dataset,
    batches: inOrder(dataset.count, 1),
    augmentation: { shortEdges: [shortEdge], maxSize, flipProbability: 0 },
    seed: 0,
    workers,
    leaveOut: ({ path, reason }) => {
      log.warn(`${path}: ${reason}; nothing is found in it`);
      undecodable.push(path);
    },
  });
  for await (const batch of batches) {
    const { ids, plans } = batch;
    found.push({ image: ids[0], found: await runner.detect(batch, plans[0].from) });
    progress.update(found.length + undecodable.length);
  }
  progress.finish();
  return { found, undecodable };
}

/** The figures by name, as metrics: what is not measured (no such objects) is left out. */
export function figuresOf({ evaluations }: Pick<DetectorResults, 'evaluations'>): Record<string, number> {
  return Object.fromEntries([...namedFigures(evaluations)].filter(([, value]) => !Number.isNaN(value)));
}

/** Writes `coco_instances_results.json` and `results.json`. */
export async function writeDetectorResults(
  folder: string,
  { results, evaluations, undecodable }: DetectorResults,
  about: Readonly<Record<string, unknown>>,
): Promise<void> {
  await writeFileAtomic(join(folder, 'coco_instances_results.json'), `${JSON.stringify(results)}\n`);
  const summary = {
    ...about,
    figures: Object.fromEntries(namedFigures(evaluations)),
    ...(undecodable.length > 0 && { undecodable }),
  };
  await writeFileAtomic(join(folder, 'results.json'), `${JSON.stringify(summary, null, 2)}\n`);
}
