/**
 * Linear evaluation of a backbone, by the reference's protocol, in a folder of its own:
 *
 *     results.json, log_result.txt   last and best accuracy; the last is the result
 *     checkpoint_last.pth            the classifier (and the backbone, when it was trained too), to resume or to use
 *     metrics.jsonl                  one entry for each step
 */

import { join } from 'node:path';
import { hasLastCheckpoint, loadCheckpoint, saveCheckpoint } from '../../checkpoint/checkpointer.js';
import { initializeModule, loadModuleState } from '../../checkpoint/module-state.js';
import { fingerprint } from '../../checkpoint/write-weights.js';
import type { ResolvedConfig } from '../../config/load.js';
import { renderConfig } from '../../config/print.js';
import type { Config } from '../../config/schema.js';
import { UserError } from '../../core/errors.js';
import { writeFileAtomic } from '../../core/fs.js';
import type { LiveLog } from '../../core/log.js';
import { RandomStream } from '../../core/rng.js';
import { openDataset } from '../../data/dataset.js';
import type { Runtime } from '../../engine/runtime.js';
import { type BackboneSource, readBackbone } from '../../evaluation/features/backbone-weights.js';
import { calibrate, calibrationBatch } from '../../evaluation/features/calibrate.js';
import { LinearProbe } from '../../models/probe/linear-probe.js';
import { MetricsFile } from '../../report/jsonl.js';
import { Interrupt } from '../../train/interrupt.js';
import { openRunFolder } from '../../train/run-folder.js';
import { SaveSchedule } from '../../train/save-schedule.js';
import { openEngine } from '../shared/open-engine.js';
import { type LabelledData, labelledSubset, openLabelled, whyNotEvaluable } from './data.js';
import { type LinearPlan, makeLinearPlan } from './plan.js';
import { bestOf, figures, type LinearSummary, writeResults } from './results.js';
import { type LinearIdentity, type LinearProgress, linearState, loadLinearState } from './state.js';
import { trainLinear } from './train.js';

export interface LinearOptions {
  readonly resolved: ResolvedConfig;
  /**
   * What is evaluated: a file of weights; a run folder, and then the evaluation's folder is inside it; or initial weights,
   * the base line, drawn by the configuration's seed.
   */
  readonly source: (BackboneSource & { readonly isRunFolder: boolean }) | 'random';
  /** Features are computed once, from centre crops: fast, and not the protocol. */
  readonly fast: boolean;
  /** Share of the labels that is used, above 0 to 1. */
  readonly fraction: number;
  /** Start anew where there is an evaluation already. */
  readonly overwrite: boolean;
  readonly log: LiveLog;
}

export interface LinearOutcome {
  readonly folder: string;
  readonly summary: LinearSummary | undefined;
  readonly interrupted: NodeJS.Signals | undefined;
}

/** torchlars' default; the reference does not set it. */
const TRUST = 0.001;

export async function linear(options: LinearOptions): Promise<LinearOutcome> {
  const { resolved, source, fast, fraction, log } = options;
  const { config } = resolved;
  const { finetune } = config.eval;
  if (fast && finetune) {
    throw new UserError('goes with no --fast, where the backbone is only run once', {
      key: 'eval/finetune',
      value: true,
    });
  }
  const data = await openLabelled(config.dataset.root, log);
  const backbone =
    source === 'random' ? undefined : await readBackbone(source, 'encoder.', config.network.name, log);
  const weights = backbone?.loaded.path ?? `random, seed ${config.seed}`;
  const subset = labelledSubset(data.train, fraction, config.seed);
  const plan = makeLinearPlan(config, subset.length);
  const protocol = describeProtocol(options, config);
  const runtime = await openEngine(config.engine, log);
  const run = await openRunFolder(folderOptions(options, protocol));
  const interrupt = new Interrupt((signal) =>
    log.info(`${signal}: saving after this step; again to stop at once`),
  );
  try {
    const { path: folder } = run;
    log.info(`${protocol} of ${backbone?.loaded.description ?? `${config.network.name}, ${weights}`}`);
    log.info(
      `${subset.length} training images, ${data.val.count} to validate, ${data.classes.length} classes; ${folder}`,
    );
    if (fast)
      log.warn('features of centre crops are computed once: this is not the protocol of published figures');
    await writeFileAtomic(join(folder, 'config.yaml'), renderConfig(resolved));
    const probe = await openProbe(runtime, config, data, plan);
    if (backbone !== undefined) await loadModuleState(probe.backbone, backbone.dict, weights);
    else await drawBackbone(probe, config, data, log);
    const identity: LinearIdentity = {
      seed: config.seed,
      batch: plan.batch,
      steps_per_epoch: plan.stepsPerEpoch,
      epochs: plan.epochs,
      classes: data.classes.length,
      protocol,
      backbone_sha256: backbone === undefined ? weights : (await fingerprint(weights)).sha256,
    };
    const start = await resumeFrom(probe, identity, folder, options);
    const sinks = [await MetricsFile.open(join(folder, 'metrics.jsonl'), start.step, log)];
    const schedule = saveSchedule(config, plan);
    const save = async (progress: LinearProgress) => {
      await saveCheckpoint(folder, 'head', linearState(probe, identity, progress, finetune), { log });
      schedule.saved();
      log.debug(`saved after ${progress.step} steps`);
    };
    const saves = (step: number) => schedule.due(step) !== undefined;
    const context = { config, plan, data, subset, probe, fast, sinks, log, save, saves };
    const stopping = () => interrupt.signal !== undefined;
    const { step, history } = await trainLinear({ ...context, stopping }, start).finally(() => {
      for (const sink of sinks) sink.close();
    });
    runtime.close();
    if (step < plan.totalSteps) {
      log.info('stopped; the same command resumes');
      return { folder, summary: undefined, interrupted: interrupt.signal };
    }
    const summary: LinearSummary = {
      config: resolved.configName,
      protocol,
      comparable: !fast && fraction === 1 && !finetune,
      weights,
      network: config.network.name,
      classes: data.classes.length,
      train_images: subset.length,
      val_images: data.val.count,
      epochs: plan.epochs,
      last: history[history.length - 1],
      best: bestOf(history),
      history,
    };
    await writeResults(folder, summary);
    log.info(`${protocol}: last ${figures(summary.last)}`);
    log.info(`${protocol}: best ${figures(summary.best)}; the last is the result`);
    return { folder, summary, interrupted: undefined };
  } finally {
    interrupt.release();
    await run.release();
  }
}

/** The classifier with its initial values; the backbone has none yet. */
async function openProbe(
  runtime: Runtime,
  { network, seed, eval: { finetune, optim } }: Config,
  { classes }: LabelledData,
  { side }: LinearPlan,
): Promise<LinearProbe> {
  const { momentum, nesterov, weight_decay: weightDecay } = optim;
  const probe = new LinearProbe(runtime, {
    network: network.name,
    classes: classes.length,
    side,
    finetune,
    solver: { momentum, nesterov, weightDecay, trust: TRUST },
  });
  await initializeModule(probe.head, seed);
  await runtime.clear(probe.solver.buffers);
  return probe;
}

/** As often as pretraining saves. */
function saveSchedule({ train }: Config, plan: LinearPlan): SaveSchedule {
  return new SaveSchedule({
    stepsPerEpoch: plan.stepsPerEpoch,
    epochs: plan.epochs,
    snapshotInterval: 1,
    everySteps: train.save_steps,
    everyMinutes: train.save_minutes,
  });
}

function describeProtocol({ fast, fraction }: LinearOptions, config: Config): string {
  const name = config.eval.finetune ? 'fine-tuning' : 'linear evaluation';
  const labels = fraction === 1 ? '' : ` with ${percentOf(fraction)} % of the labels`;
  return `${name}${labels}${fast ? ' (fast, not the protocol)' : ''}`;
}

/** 7 for 0.07, whatever binary fractions make of it. */
function percentOf(fraction: number): number {
  return Number((100 * fraction).toPrecision(6));
}

/** Inside the run folder that is evaluated; for a file of weights a numbered one, or `save_dir`. */
function folderOptions({ resolved, source, fast, fraction }: LinearOptions, protocol: string) {
  const { config, configName } = resolved;
  const kind = protocol.startsWith('fine-tuning') ? 'finetune' : 'linear';
  const name = `${kind}${fraction === 1 ? '' : `_${percentOf(fraction)}percent`}${fast ? '_fast' : ''}`;
  if (source !== 'random' && source.isRunFolder)
    return { topDir: '', configName, saveDir: join(source.path, name) };
  return {
    topDir: config.top_dir,
    configName: `${configName}_${name}`,
    ...(config.save_dir !== null && { saveDir: config.save_dir }),
  };
}

/** Initial weights, with statistics of batch norm from the training images. */
async function drawBackbone(
  probe: LinearProbe,
  { seed, augment, eval: { num_workers: workers } }: Config,
  { train }: LabelledData,
  log: LiveLog,
): Promise<void> {
  await initializeModule(probe.backbone, seed);
  const batch = calibrationBatch(train.count);
  const order = new RandomStream(seed, 'calibration').shuffle(
    Uint32Array.from({ length: train.count }, (_, i) => i),
  );
  await calibrate(probe.calibration(batch), train.images, {
    size: augment.input_size,
    batch,
    workers,
    order,
  });
  log.info('random weights; statistics of batch norm from the training images');
}

async function resumeFrom(
  probe: LinearProbe,
  identity: LinearIdentity,
  folder: string,
  { resolved, overwrite, log }: LinearOptions,
): Promise<LinearProgress> {
  if (overwrite || !(await hasLastCheckpoint(folder))) return { step: 0, history: [] };
  const { path, value } = await loadCheckpoint(folder, log);
  const progress = await loadLinearState(probe, identity, value, path, resolved.config.eval.finetune);
  log.info(`resuming from ${path}: step ${progress.step} of ${identity.epochs * identity.steps_per_epoch}`);
  return progress;
}

/**
 * The evaluation that follows pretraining when `eval/enabled`; without labels or validation images it is left out, and that
 * is said.
 *
 * @param folder of the run
 */
export async function evaluateRun(
  resolved: ResolvedConfig,
  folder: string,
  log: LiveLog,
): Promise<NodeJS.Signals | undefined> {
  const { root } = resolved.config.dataset;
  if (root === null) throw new Error('unreachable: pretraining had images');
  const { classes } = await openDataset({ root, log });
  const problem = await whyNotEvaluable(root, classes);
  if (problem !== undefined) {
    log.info(`linear evaluation is left out: ${problem}`);
    return undefined;
  }
  const source = { path: folder, isRunFolder: true };
  return (await linear({ resolved, source, fast: false, fraction: 1, overwrite: false, log })).interrupted;
}
