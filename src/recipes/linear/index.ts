/**
 * Linear evaluation of a backbone, by the reference's protocol, in a folder of its own:
 *
 *     results.json, log_result.txt   last and best accuracy; the last is the result
 *     checkpoint_last.pth            the classifier (and the backbone, when it was trained too), to resume or to use
 *     metrics.jsonl, tboard/         one entry for each step; loss.svg, the curve; report.html, a page
 *     skipped_images.tsv             training files that could not be decoded
 */

import { join } from 'node:path';
import { initializeModule, loadModuleState } from '../../checkpoint/module-state.js';
import { fingerprint } from '../../checkpoint/write-weights.js';
import type { ResolvedConfig } from '../../config/load.js';
import type { PretrainConfig as Config } from '../../config/schemas/pretrain.js';
import { UserError } from '../../core/errors.js';
import { type LiveLog, SILENT } from '../../core/log.js';
import { RandomStream } from '../../core/rng.js';
import { openDataset } from '../../data/dataset.js';
import type { Runtime } from '../../engine/runtime.js';
import { type BackboneSource, readBackbone } from '../../evaluation/features/backbone-weights.js';
import { calibrate, calibrationBatch } from '../../evaluation/features/calibrate.js';
import { LinearProbe } from '../../models/probe/linear-probe.js';
import { runLoop } from '../../train/loop.js';
import { writeLossCurve } from '../../train/loss-curve.js';
import { lastCheckpoint, type Run, withRun, writeSkipped } from '../../train/run.js';
import { writeRunPage } from '../report/index.js';
import { openEngine } from '../shared/open-engine.js';
import { runConfig } from '../shared/run-config.js';
import { sayOutline } from '../shared/run-outline.js';
import { CachedFeatures } from './cached-features.js';
import { type LabelledData, labelledSubset, openLabelled, whyNotEvaluable } from './data.js';
import { type LinearPlan, makeLinearPlan, outlineLinear } from './plan.js';
import { bestOf, figures, type LinearSummary, writeResults } from './results.js';
import { type LinearIdentity, type LinearProgress, loadLinearState } from './state.js';
import { linearTask } from './task.js';

export interface LinearOptions {
  readonly resolved: ResolvedConfig<Config>;
  /**
   * What is evaluated: a file of weights; a run folder, and then the evaluation's folder is inside it; or initial weights,
   * the base line, drawn by the configuration's seed.
   */
  readonly source: (BackboneSource & { readonly isRunFolder?: boolean }) | 'random';
  /** Features are computed once, from centre crops: fast, and not the protocol. */
  readonly fast?: boolean;
  /** Share of the labels that is used, above 0 to 1; default 1. */
  readonly fraction?: number;
  /** Start anew where there is an evaluation already. */
  readonly overwrite?: boolean;
  /** Asks to save and stop after the current step; the reason is the name of the signal. */
  readonly signal?: AbortSignal | undefined;
  readonly log?: LiveLog;
}

const DEFAULTS = { fast: false, fraction: 1, overwrite: false, log: SILENT } as const;
type Settings = LinearOptions & Required<Pick<LinearOptions, keyof typeof DEFAULTS>>;

export interface LinearOutcome {
  readonly folder: string;
  readonly summary: LinearSummary | undefined;
  /** The evaluation was asked to stop before its end. */
  readonly interrupted: boolean;
}

/** torchlars' default; the reference does not set it. */
const TRUST = 0.001;

export async function linear(given: LinearOptions): Promise<LinearOutcome> {
  const options: Settings = { ...DEFAULTS, ...given };
  const { resolved, source, fast, fraction, signal, log } = options;
  const { config } = resolved;
  if (fast && config.eval.finetune) {
    throw new UserError('goes with no --fast, where the backbone is only run once', {
      key: 'eval/finetune',
      value: true,
    });
  }
  const data = await openLabelled(config.dataset.root, log);
  const backbone =
    source === 'random' ? undefined : await readBackbone(source, 'encoder.', config.network.name, log);
  const subset = labelledSubset(data.train, fraction, config.seed);
  const plan = makeLinearPlan(config, subset.length);
  const protocol = describeProtocol(options, config);
  return withRun(
    {
      folder: folderOptions(options, protocol),
      config: runConfig(resolved),
      eventInterval: config.train.tb_interval,
      openRuntime: () => openEngine(config.engine, log),
      signal,
      log,
    },
    (run) => evaluateIn(run, { data, backbone, subset, plan, protocol }, options),
  );
}

/** What is known before TensorFlow is opened. */
interface Prepared {
  readonly data: LabelledData;
  readonly backbone: Awaited<ReturnType<typeof readBackbone>> | undefined;
  readonly subset: Uint32Array;
  readonly plan: LinearPlan;
  readonly protocol: string;
}

async function evaluateIn(run: Run, prepared: Prepared, options: Settings): Promise<LinearOutcome> {
  const { data, backbone, subset, plan, protocol } = prepared;
  const { config, configName } = options.resolved;
  const { folder, log } = run;
  const weights = backbone?.loaded.path ?? `random, seed ${config.seed}`;
  const what = `${protocol} of ${backbone?.loaded.description ?? `${config.network.name}, ${weights}`}`;
  const classes = data.classes.length;
  sayOutline(outlineLinear(options.resolved, plan, { what, images: subset.length, classes }), log);
  if (options.fast)
    log.warn('features of centre crops are computed once: this is not the protocol of published figures');
  const probe = await openProbe(run.runtime, config, data, plan);
  if (backbone !== undefined) await loadModuleState(probe.backbone, backbone.dict, weights);
  else await drawBackbone(probe, config, data, log);
  const identity: LinearIdentity = {
    seed: config.seed,
    batch: plan.batch,
    steps_per_epoch: plan.stepsPerEpoch,
    epochs: plan.epochs,
    classes,
    protocol,
    backbone_sha256: backbone === undefined ? weights : (await fingerprint(weights)).sha256,
  };
  const start = await resumeFrom(run, probe, identity, options);
  const context = { config, plan, data, subset, probe, log };
  const cached = options.fast ? await CachedFeatures.compute(context) : undefined;
  const history = [...start.history];
  const task = linearTask({ ...context, folder, identity, cached, history });
  const { interrupted, undecodable } = await runLoop(run, task, start.step);
  await writeSkipped(folder, [...data.train.skipped, ...undecodable]);
  await writeLossCurve(folder, `${configName}, ${protocol}`, ['loss']);
  await writeRunPage(folder, interrupted, log);
  if (interrupted) return { folder, summary: undefined, interrupted };
  const summary: LinearSummary = {
    config: configName,
    protocol,
    comparable: !options.fast && options.fraction === 1 && !config.eval.finetune,
    weights,
    network: config.network.name,
    classes,
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
  return { folder, summary, interrupted };
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

function describeProtocol({ fast, fraction }: Settings, config: Config): string {
  const name = config.eval.finetune ? 'fine-tuning' : 'linear evaluation';
  const labels = fraction === 1 ? '' : ` with ${percentOf(fraction)} % of the labels`;
  return `${name}${labels}${fast ? ' (fast, not the protocol)' : ''}`;
}

/** 7 for 0.07, whatever binary fractions make of it. */
function percentOf(fraction: number): number {
  return Number((100 * fraction).toPrecision(6));
}

/** Inside the run folder that is evaluated; for a file of weights a numbered one, or `save_dir`. */
function folderOptions({ resolved, source, fast, fraction }: Settings, protocol: string) {
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
  run: Run,
  probe: LinearProbe,
  identity: LinearIdentity,
  { resolved, overwrite }: Settings,
): Promise<LinearProgress> {
  const found = await lastCheckpoint(run, { overwrite });
  if (found === undefined) return { step: 0, history: [] };
  const { path, value } = found;
  const progress = await loadLinearState(probe, identity, value, path, resolved.config.eval.finetune);
  run.log.info(
    `resuming from ${path}: step ${progress.step} of ${identity.epochs * identity.steps_per_epoch}`,
  );
  return progress;
}

/**
 * The evaluation that follows pretraining when `eval/enabled`; without labels or validation images it is left out, and that
 * is said.
 *
 * @param folder of the run
 * @returns whether it was asked to stop before its end
 */
export async function evaluateRun(
  resolved: ResolvedConfig<Config>,
  folder: string,
  { log, signal }: Pick<Settings, 'log' | 'signal'>,
): Promise<boolean> {
  const { root } = resolved.config.dataset;
  if (root === null) throw new Error('unreachable: pretraining had images');
  const { classes } = await openDataset({ root, log });
  const problem = await whyNotEvaluable(root, classes);
  if (problem !== undefined) {
    log.info(`linear evaluation is left out: ${problem}`);
    return false;
  }
  const source = { path: folder, isRunFolder: true };
  return (await linear({ resolved, source, fast: false, fraction: 1, overwrite: false, signal, log }))
    .interrupted;
}
