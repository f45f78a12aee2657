/**
 * Pretraining, from a resolved configuration to a run folder:
 *
 *     config.yaml             every resolved value and where it came from
 *     metrics.jsonl, tboard/  one entry for each step
 *     checkpoint_{epoch}.pth  kept; checkpoint_rolling.pth is replaced in between; checkpoint_last.pth links to the newest
 *     loss.svg, report.html   the curve, and a page about the run
 *     skipped_images.tsv      files that could not be used
 */

import { loadModuleState } from '../../checkpoint/module-state.js';
import type { ResolvedConfig } from '../../config/load.js';
import type { PretrainConfig as Config } from '../../config/schemas/pretrain.js';
import { formatDuration } from '../../core/clock.js';
import { counted } from '../../core/counted.js';
import { type LiveLog, SILENT } from '../../core/log.js';
import { readBackbone } from '../../evaluation/features/backbone-weights.js';
import { type LoopResult, runLoop } from '../../train/loop.js';
import { writeLossCurve } from '../../train/loss-curve.js';
import { type Run, withRun, writeSkipped } from '../../train/run.js';
import { writeRunPage } from '../report/index.js';
import { openEngine } from '../shared/open-engine.js';
import { runConfig } from '../shared/run-config.js';
import { sayOutline } from '../shared/run-outline.js';
import { type CheckpointContext, resume } from './checkpoints.js';
import { PretrainModel } from './model.js';
import { Monitor } from './monitor.js';
import { outlinePretraining } from './plan.js';
import { openData } from './setup.js';
import { pretrainTask, type Tally } from './task.js';
import type { Position } from './training-state.js';

export interface PretrainOptions {
  resolved: ResolvedConfig<Config>;
  /** Path of the YAML file, copied into the run folder. */
  configFile?: string | undefined;
  /** Reuse the latest numbered run folder and ignore its checkpoints. */
  overwrite?: boolean;
  /** Backbone to start from, in place of a random one; a run that is resumed has its own. */
  weights?: string | undefined;
  /** Where the rest of an epoch cannot be the same, it is begun again. */
  restartEpoch?: boolean;
  /** The configuration is that of the run folder, whose `config.yaml` stays as it is. */
  keepConfig?: boolean;
  /** Asks to save and stop after the current step; the reason is the name of the signal. */
  signal?: AbortSignal | undefined;
  log?: LiveLog;
}

/** Where the backbone is within a branch. */
const ENCODER = 'encoder.';

export interface PretrainSummary {
  folder: string;
  /** Path of one of the images. */
  image: string;
  /** Names of the class folders; undefined when the images have none. */
  classes: readonly string[] | undefined;
  /** Means over the first and the last 5 % (at least one) of this process's steps; NaN when it had none. */
  firstLoss: number;
  lastLoss: number;
  /** Of the last step. */
  spread: number;
  /** The run was asked to stop before its end. */
  interrupted: boolean;
}

export async function pretrain(options: PretrainOptions): Promise<PretrainSummary> {
  const { resolved, configFile, overwrite = false, signal, log = SILENT } = options;
  const { config, configName } = resolved;
  const data = await openData(config, log);
  const { top_dir: topDir, save_dir: saveDir } = config;
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
    (run) => trainIn(run, data, options),
  );
}

async function trainIn(
  run: Run,
  { dataset, plan }: Awaited<ReturnType<typeof openData>>,
  options: PretrainOptions,
): Promise<PretrainSummary> {
  const { config, configName } = options.resolved;
  const { folder, log } = run;
  sayOutline(outlinePretraining(options.resolved, plan, dataset.count), log);
  const model = new PretrainModel(run.runtime, config, plan, log);
  const context = { config, plan, dataset, model, folder, log };
  const images = { image: dataset.images.path(0), classes: dataset.classes };
  const position = (await resume(context, options)) ?? (await begin(context, options.weights));
  if (position.step >= plan.totalSteps) {
    log.info(`${counted(plan.epochs, 'epoch is', 'epochs are')} done: nothing to train`);
    return { folder, ...images, ...summarize({ losses: [], spreads: [] }), interrupted: false };
  }
  const monitor = await Monitor.open(context);
  const { task, tally } = pretrainTask({ ...context, monitor }, position);
  await writeSkipped(folder, dataset.skipped);
  const result = await runLoop(run, task, position.step);
  await writeLossCurve(folder, configName, ['loss', 'spread']);
  await writeRunPage(folder, result.interrupted, log);
  await writeSkipped(folder, [...dataset.skipped, ...result.undecodable]);
  const summary = summarize(tally);
  describe(summary, tally, result, log);
  return { folder, ...images, ...summary, interrupted: result.interrupted };
}

/** Draws the initial weights, or takes those of a file. */
async function begin(
  { model, config, log }: CheckpointContext,
  weights: string | undefined,
): Promise<Position> {
  const began = performance.now();
  await model.initialize(config.seed, config.network.target_init === 'copy');
  if (weights !== undefined) await startFrom(model, config, weights, log);
  log.debug(`initial weights drawn in ${formatDuration((performance.now() - began) / 1000)}`);
  return { step: 0 };
}

/** Both networks start from the weights: a target that knows nothing would have to be caught up with first. */
async function startFrom(model: PretrainModel, config: Config, path: string, log: LiveLog): Promise<void> {
  const { loaded, dict } = await readBackbone({ path }, ENCODER, config.network.name, log);
  for (const { store } of [model.networks.online, model.networks.target]) {
    await loadModuleState(store, dict, loaded.path, ENCODER);
  }
  log.info(`starting from ${loaded.description}: ${loaded.path}`);
}

type Figures = Pick<PretrainSummary, 'firstLoss' | 'lastLoss' | 'spread'>;

function summarize({ losses, spreads }: Pick<Tally, 'losses' | 'spreads'>): Figures {
  const edge = Math.max(1, Math.floor(losses.length / 20));
  return {
    firstLoss: mean(losses.slice(0, edge)),
    lastLoss: mean(losses.slice(-edge)),
    spread: spreads.at(-1) ?? Number.NaN,
  };
}

function describe(
  { firstLoss, lastLoss, spread }: Figures,
  { skippedSteps }: Tally,
  { outsideShare }: LoopResult,
  log: LiveLog,
): void {
  if (skippedSteps > 0)
    log.info(`skipped for want of a usable overlap: ${counted(skippedSteps, 'batch', 'batches')}`);
  if (Number.isNaN(firstLoss)) return; // stopped before its first step
  log.info(
    `loss ${firstLoss.toFixed(3)} -> ${lastLoss.toFixed(3)}, spread of the outputs ` +
      `${spread.toFixed(2)} (1 = even, 0 = collapsed), ${(100 * outsideShare).toFixed(1)} % of the time outside TensorFlow`,
  );
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
