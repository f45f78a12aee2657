/**
 * Fine-tuning of Faster or Mask R-CNN, from a resolved configuration to a run folder:
 *
 *     config.yaml                     every resolved value and where it came from
 *     metrics.jsonl, tboard/          one entry for each step; loss.svg, the curve; report.html, a page
 *     checkpoint_{step}.pth           the last; checkpoint_rolling.pth is replaced in between; checkpoint_last.pth links to the newest
 *     checkpoint_best.pth             the best AP of boxes so far
 *     coco_instances_results.json     of the last evaluation, with results.json, its figures
 */

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { hasLastCheckpoint, saveCheckpoint } from '../../checkpoint/checkpointer.js';
import type { LoadedBackbone } from '../../checkpoint/load-backbone.js';
import { fingerprint } from '../../checkpoint/write-weights.js';
import type { ResolvedConfig } from '../../config/load.js';
import type { DetectConfig } from '../../config/schemas/detect.js';
import { type LiveLog, SILENT } from '../../core/log.js';
import type { DetectionDataset } from '../../data/detection-dataset.js';
import { fingerprintImages } from '../../data/fingerprint.js';
import type { Metrics } from '../../report/sink.js';
import { type PeriodicWork, runLoop } from '../../train/loop.js';
import { writeLossCurve } from '../../train/loss-curve.js';
import { lastCheckpoint, type Run, withRun } from '../../train/run.js';
import { writeRunPage } from '../report/index.js';
import { openEngine } from '../shared/open-engine.js';
import { runConfig } from '../shared/run-config.js';
import { sayOutline } from '../shared/run-outline.js';
import { categoryIdsOf, openSplit, requireClasses, requireSameCategories } from './data.js';
import { evaluateDetector, figuresOf, requireEvaluable, writeDetectorResults } from './evaluate.js';
import { DetectModel, openBackbone, requireWeights } from './model.js';
import { protocolFingerprint } from './options.js';
import { makeDetectPlan, outlineDetect } from './plan.js';
import { preciseStatistics } from './precise-bn.js';
import { DetectorRunner } from './runner.js';
import { detectHostOptions } from './sampling.js';
import { type DetectIdentity, type DetectPosition, detectState, loadDetectState } from './state.js';
import { type DetectParts, detectTask } from './task.js';

export interface DetectTrainOptions {
  readonly resolved: ResolvedConfig<DetectConfig>;
  /** Path of the YAML file, copied into the run folder. */
  readonly configFile?: string | undefined;
  /** The configuration is that of the run folder, whose `config.yaml` stays as it is. */
  readonly keepConfig?: boolean;
  /** Backbone to start from, a file of any toolkit or a run folder; a run that is resumed has its own. */
  readonly weights?: string | undefined;
  /** Reuse the latest numbered run folder and ignore its checkpoints. */
  readonly overwrite?: boolean;
  /** Asks to save and stop after the current step; the reason is the name of the signal. */
  readonly signal?: AbortSignal | undefined;
  readonly log?: LiveLog;
}

export interface DetectSummary {
  readonly folder: string;
  readonly protocol: string;
  /** Of the last evaluation, by Detectron2's names, percent: `bbox/AP`. Empty when there was none. */
  readonly figures: Readonly<Record<string, number>>;
  readonly best: { readonly score: number; readonly step: number } | undefined;
  readonly interrupted: boolean;
}

const ROLLING = 'rolling';
const BEST = 'best';

/** @throws UserError for anything that would not work, before the run folder is touched where that can be known */
export async function detectTrain(options: DetectTrainOptions): Promise<DetectSummary> {
  const { resolved, configFile, weights, overwrite = false, signal, log = SILENT } = options;
  const { config, configName } = resolved;
  const { top_dir: topDir, save_dir: saveDir } = config;
  const resumes = saveDir !== null && !overwrite && (await hasLastCheckpoint(saveDir));
  if (!resumes) requireWeights(config, weights);
  const backbone = resumes || weights === undefined ? undefined : await openBackbone(config, weights, log);
  const data = await openData(config, log);
  return withRun(
    {
      folder: { topDir, configName, overwrite, ...(saveDir !== null && { saveDir }) },
      ...(!options.keepConfig && { config: runConfig(resolved) }),
      ...(configFile !== undefined && { configFile }),
      eventInterval: config.train.tb_interval,
      openRuntime: () => openEngine(config.engine, log),
      signal,
      log,
    },
    (run) => trainIn(run, { config, configName, backbone, overwrite, ...data }),
  );
}

interface Data {
  readonly train: DetectionDataset;
  /** Absent: nothing is evaluated. */
  readonly val: DetectionDataset | undefined;
}

async function openData(config: DetectConfig, log: LiveLog): Promise<Data> {
  const train = await openSplit(config, 'train', log);
  requireClasses(config, train);
  if (config.dataset.val.annotations === null) {
    log.warn('no dataset/val/annotations: the detector will not be evaluated');
    return { train, val: undefined };
  }
  const val = await openSplit(config, 'val', log);
  const { classes, records } = train;
  requireSameCategories({ classes, categoryIds: categoryIdsOf(train), where: records.where }, val);
  requireEvaluable(val);
  return { train, val };
}

interface Prepared extends Data {
  readonly config: DetectConfig;
  readonly configName: string;
  readonly backbone: LoadedBackbone | undefined;
  readonly overwrite: boolean;
}

async function trainIn(run: Run, prepared: Prepared): Promise<DetectSummary> {
  const { config, configName, train } = prepared;
  const { folder, log } = run;
  const plan = makeDetectPlan(config);
  const protocol = protocolFingerprint(config);
  const model = new DetectModel(run.runtime, config, train.classes, log);
  log.info(protocol);
  sayOutline(outlineDetect({ config, configName }, plan, train.count), log);
  const identity: DetectIdentity = {
    config,
    plan,
    classes: train.classes,
    categoryIds: categoryIdsOf(train),
    data: (await fingerprint(train.records.where)).sha256,
    images: await fingerprintImages(train.files),
  };
  const start = await begin(run, model, identity, prepared);
  const context = { run, config, plan, dataset: train, model, identity, protocol, val: prepared.val };
  const evaluation = evaluationWork(context, start.best);
  const task = detectTask({
    config,
    plan,
    dataset: train,
    model,
    folder,
    log,
    works: evaluation.works,
    save: (step, kind) =>
      save(context, { step, ...evaluation.best() }, kind === 'kept' ? String(step) : ROLLING),
  });
  const result = await runLoop(run, task, start.step);
  await writeLossCurve(folder, configName, ['loss']);
  await writeRunPage(folder, result.interrupted, log);
  const { best } = evaluation.best();
  return { folder, protocol, figures: evaluation.figures(), best, interrupted: result.interrupted };
}

/** From the last checkpoint, or from initial weights and a backbone. */
async function begin(
  run: Run,
  model: DetectModel,
  identity: DetectIdentity,
  { backbone, overwrite }: Prepared,
): Promise<DetectPosition> {
  const { log } = run;
  const found = await lastCheckpoint(run, { overwrite });
  if (found !== undefined) {
    const position = await loadDetectState(model, identity, found.value, found.path, log);
    log.info(`resuming from ${found.path}: step ${position.step} of ${identity.plan.totalSteps}`);
    return position;
  }
  await model.initialize(identity.config.seed);
  if (backbone === undefined) log.info('the backbone starts from random weights');
  else {
    await model.takeBackbone(backbone);
    log.info(`backbone from ${backbone.description}: ${backbone.path}, all ${backbone.tensors.size} tensors`);
  }
  return { step: 0 };
}

interface Context extends DetectParts {
  readonly run: Run;
  readonly identity: DetectIdentity;
  readonly protocol: string;
  readonly val: DetectionDataset | undefined;
}

async function save(
  { run, model, identity }: Context,
  position: DetectPosition,
  tag: string,
): Promise<string> {
  const { folder, log } = run;
  const state = detectState(model, identity, position);
  const path = await saveCheckpoint(folder, tag, state, { last: tag !== BEST, log });
  if (tag !== ROLLING && tag !== BEST) await rm(join(folder, `checkpoint_${ROLLING}.pth`), { force: true });
  return path;
}

/** Evaluates now and then, and keeps the best. */
function evaluationWork(context: Context, bestBefore: DetectPosition['best']) {
  const { run, config, plan, model, protocol, val } = context;
  let best = bestBefore;
  let figures: Metrics = {};
  let runner: DetectorRunner | undefined;
  const measureStatistics = preciseStatistics({ ...context, log: run.log });
  const evaluate = async (step: number, data: DetectionDataset): Promise<Metrics> => {
    if (config.train.precise_bn.enabled) await measureStatistics();
    const { runtime, detector } = model;
    runner ??= new DetectorRunner(runtime, detector, detectHostOptions(config, detector.options.classes));
    const input = { ...config.input, workers: config.train.num_workers };
    const found = await evaluateDetector(runner, data, input, run.log);
    figures = figuresOf(found);
    await writeDetectorResults(run.folder, found, { step, protocol });
    run.log.info(`step ${step}: ${describeFigures(figures)}`);
    const score = figures['bbox/AP'];
    if (score !== undefined && score > (best?.score ?? Number.NEGATIVE_INFINITY)) {
      best = { score, step };
      await save(context, { step, best }, BEST);
    }
    return figures;
  };
  const works: PeriodicWork[] =
    val === undefined
      ? []
      : [{ every: { steps: plan.evalSteps, last: true }, run: (step) => evaluate(step, val) }];
  return { works, best: () => ({ ...(best && { best }) }), figures: () => figures };
}

/** `bbox AP 31.20, AP50 52.31, ...; segm AP ...` */
export function describeFigures(figures: Metrics): string {
  return ['bbox', 'segm']
    .flatMap((type) => {
      const named = ['AP', 'AP50', 'AP75'].flatMap((name) => {
        const value = figures[`${type}/${name}`];
        return value === undefined ? [] : [`${name} ${value.toFixed(2)}`];
      });
      return named.length === 0 ? [] : [`${type} ${named.join(', ')}`];
    })
    .join('; ');
}
