/**
 * A trained detector out of a file: one of our runs, or of another toolkit. How it is built is read off its tensors; what they
 * do not say (names of the classes, sizes of test images, anchors) from what our checkpoints carry.
 */

import { join } from 'node:path';
import { type LoadedDetector, loadDetector } from '../../checkpoint/load-detector.js';
import { loadModuleState } from '../../checkpoint/module-state.js';
import { UserError } from '../../core/errors.js';
import { sizeOf } from '../../core/fs.js';
import type { Log } from '../../core/log.js';
import type { Runtime } from '../../engine/runtime.js';
import { type FileValue, numberOf } from '../../formats/value.js';
import type { WeightsStyle } from '../../models/backbone/resnet-layers.js';
import { type AnchorOptions, DEFAULT_ANCHORS } from '../../models/detection/anchors.js';
import type { DetectHostOptions } from '../../models/detection/detect-host.js';
import { Detector } from '../../models/detection/networks.js';
import { DetectorRunner } from './runner.js';
import { limitsIn } from './saved-limits.js';

export interface OpenedDetector extends LoadedDetector {
  readonly anchors: AnchorOptions;
  /** Names of the classes, in the order of the outputs; the file's, or their numbers. */
  readonly classes: readonly string[];
  /** Id of each class in annotations; undefined where the file does not say. */
  readonly categoryIds: readonly number[] | undefined;
  /** How test images were resized, where the file says it. */
  readonly testSize: ImageLimits | undefined;
  readonly protocol: string | undefined;
}

/**
 * @param given a run folder (then its `checkpoint_best.pth`, or else the last), or a file
 * @param style colours and strides, for a file that does not say them; default what its norms look like
 * @throws UserError when it holds no detector that can be run here
 */
export async function openDetector(
  given: string,
  style: WeightsStyle | undefined,
  log: Log,
): Promise<OpenedDetector> {
  const path = await bestOf(given);
  const loaded = await loadDetector(path, {}, log);
  const { options, about } = loaded;
  const classes = textsOf(about.get('classes')) ?? defaultNames(options.classes);
  const [min, max] = [numberOf(about.get('min_size_test')), numberOf(about.get('max_size_test'))];
  const protocol = about.get('protocol');
  return {
    ...loaded,
    options: {
      ...options,
      weightsStyle: styleOf(style, loaded, log),
    },
    anchors: anchorsIn(loaded),
    classes,
    categoryIds: numbersOf(about.get('category_ids')),
    testSize: min === undefined || max === undefined ? undefined : { min, max },
    protocol: typeof protocol === 'string' ? protocol : undefined,
  };
}

export interface ImageLimits {
  /** Shorter side, pixels. */
  readonly min: number;
  /** Longest side, pixels. */
  readonly max: number;
}

/** Detectron2's, where neither the user nor the file says it. */
const DEFAULT_SIZE: ImageLimits = { min: 800, max: 1333 };
/** Detectron2's PRE_NMS_TOPK_TEST. */
const CANDIDATES_PER_LEVEL = 1000;

/** How images are resized for a detector. */
export function testSizeOf({ testSize }: OpenedDetector, given: ImageLimits | undefined): ImageLimits {
  return given ?? testSize ?? DEFAULT_SIZE;
}

/**
 * Builds a detector to be used. Its limits are those that it was trained with; what the file does not say is Detectron2's.
 *
 * @param limits in place of the file's
 */
export async function openRunner(
  runtime: Runtime,
  opened: OpenedDetector,
  limits: Pick<DetectHostOptions, 'scoreThreshold'> = {},
): Promise<DetectorRunner> {
  return new DetectorRunner(runtime, await buildDetector(runtime, opened), {
    anchors: opened.anchors,
    classes: opened.options.classes,
    candidatesPerLevel: CANDIDATES_PER_LEVEL,
    ...limitsIn(opened.about),
    ...limits,
  });
}

/** Builds the network and fills it. */
export async function buildDetector(
  runtime: Runtime,
  { options, tensors, path }: LoadedDetector,
): Promise<Detector> {
  const detector = new Detector(runtime, options);
  await loadModuleState(detector.store, tensors, path);
  return detector;
}

async function bestOf(given: string): Promise<string> {
  const best = join(given, 'checkpoint_best.pth');
  return (await sizeOf(best)) === undefined ? given : best;
}

/** @throws UserError when the file has other anchors than Detectron2's and does not say which */
function anchorsIn({ about, options, path }: LoadedDetector): AnchorOptions {
  const anchors = {
    ...DEFAULT_ANCHORS,
    sizes: numbersOf(about.get('anchor_sizes')) ?? DEFAULT_ANCHORS.sizes,
    ratios: numbersOf(about.get('anchor_ratios')) ?? DEFAULT_ANCHORS.ratios,
  };
  if (anchors.ratios.length === (options.anchors ?? DEFAULT_ANCHORS.ratios.length)) return anchors;
  throw new UserError(`has ${options.anchors} anchors at a cell, and does not say which`, {
    where: path,
    remedy: 'use a detector with the three ratios 0.5, 1 and 2, or the checkpoint that it was trained to',
  });
}

/** Weights of one style in a network of the other run without an error, and find nothing. */
function styleOf(
  given: WeightsStyle | undefined,
  { about, options, path }: LoadedDetector,
  log: Log,
): WeightsStyle {
  const saved = about.get('weights_style');
  if (saved !== undefined && given !== undefined && saved !== given) {
    throw new UserError(`was trained with ${saved} input`, {
      where: path,
      key: '--weights_style',
      value: given,
      remedy: 'leave out --weights_style',
    });
  }
  if (saved === undefined && given === undefined && options.weightsStyle === 'torch') {
    log.warn(
      `${path}: does not say which colours it was trained on: taken as RGB, divided by deviations; if not, --weights_style msra`,
    );
  }
  return given ?? options.weightsStyle;
}

function defaultNames(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `class ${i}`);
}

function numbersOf(value: FileValue | undefined): number[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const numbers = value.flatMap((item) => numberOf(item) ?? []);
  return numbers.length === value.length ? numbers : undefined;
}

function textsOf(value: FileValue | undefined): string[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const texts = value.filter((item) => typeof item === 'string');
  return texts.length === value.length ? texts : undefined;
}
