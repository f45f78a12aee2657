/**
 * Pretraining, from a resolved configuration to a run folder:
 *
 *     config.yaml             every resolved value and where it came from
 *     metrics.jsonl, tboard/  one entry for each step
 *     checkpoint_{epoch}.pth  kept; checkpoint_rolling.pth is replaced in between; checkpoint_last.pth links to the newest
 *     loss.svg                the curve
 *     skipped_images.tsv      files that could not be used
 */

import { copyFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { loadModuleState } from '../../checkpoint/module-state.js';
import type { ResolvedConfig } from '../../config/load.js';
import { renderConfig } from '../../config/print.js';
import type { Config } from '../../config/schema.js';
import { formatDuration } from '../../core/clock.js';
import { writeFileAtomic } from '../../core/fs.js';
import type { LiveLog } from '../../core/log.js';
import { readBackbone } from '../../evaluation/features/backbone-weights.js';
import { MetricsFile } from '../../report/jsonl.js';
import type { MetricSink } from '../../report/sink.js';
import { TensorBoardWriter } from '../../report/tensorboard.js';
import { Interrupt } from '../../train/interrupt.js';
import { openRunFolder } from '../../train/run-folder.js';
import { SaveSchedule } from '../../train/save-schedule.js';
import { openEngine } from '../shared/open-engine.js';
import { resume } from './checkpoints.js';
import { writeLossCurve } from './curve.js';
import { PretrainModel } from './model.js';
import { Monitor } from './monitor.js';
import { openData, writeSkipped } from './setup.js';
import { train } from './train.js';

export interface PretrainOptions {
  resolved: ResolvedConfig;
  /** Path of the YAML file, copied into the run folder. */
  configFile: string;
  /** Reuse the latest numbered run folder and ignore its checkpoints. */
  overwrite: boolean;
  /** Backbone to start from, in place of a random one; a run that is resumed has its own. */
  weights?: string | undefined;
  log: LiveLog;
}

/** Where the backbone is within a branch. */
const ENCODER = 'encoder.';

export interface PretrainSummary {
  folder: string;
  firstLoss: number;
  lastLoss: number;
  spread: number;
  interrupted: NodeJS.Signals | undefined;
}

export async function pretrain(options: PretrainOptions): Promise<PretrainSummary> {
  const { resolved, configFile, overwrite, weights, log } = options;
  const { config, configName } = resolved;
  const { dataset, plan } = await openData(config, log);
  const runtime = await openEngine(config.engine, log);
  const run = await openRunFolder({
    topDir: config.top_dir,
    configName,
    overwrite,
    ...(config.save_dir !== null && { saveDir: config.save_dir }),
  });
  const interrupt = new Interrupt((signal) =>
    log.info(`${signal}: saving after this step; again to stop at once`),
  );
  try {
    const { path: folder } = run;
    log.info(`run folder: ${folder}`);
    await writeFileAtomic(join(folder, 'config.yaml'), renderConfig(resolved));
    await copyFile(configFile, join(folder, `original_${basename(configFile)}`));
    await writeSkipped(folder, dataset.skipped);

    const model = new PretrainModel(runtime, config, plan, log);
    const context = { config, plan, dataset, model, folder, log };
    let position = await resume(context, overwrite);
    if (position === undefined) {
      position = { step: 0 };
      const began = performance.now();
      await model.initialize(config.seed, config.network.target_init === 'copy');
      if (weights !== undefined) await startFrom(model, config, weights, log);
      log.debug(`initial weights drawn in ${formatDuration((performance.now() - began) / 1000)}`);
    }
    if (position.step >= plan.totalSteps) {
      log.info(`all ${plan.epochs} epochs are done: nothing to train`);
      runtime.close();
      return {
        folder,
        firstLoss: Number.NaN,
        lastLoss: Number.NaN,
        spread: Number.NaN,
        interrupted: undefined,
      };
    }
    const sinks = [
      await MetricsFile.open(join(folder, 'metrics.jsonl'), position.step, log),
      everyStep(
        config.train.tb_interval,
        new TensorBoardWriter(join(folder, 'tboard'), { fromStep: position.step }),
      ),
    ];
    const schedule = new SaveSchedule({
      stepsPerEpoch: plan.stepsPerEpoch,
      epochs: plan.epochs,
      snapshotInterval: config.train.snapshot_interval,
      everySteps: config.train.save_steps,
      everyMinutes: config.train.save_minutes,
    });
    const monitor = await Monitor.open(context);
    const result = await train({ ...context, sinks, schedule, interrupt, monitor }, position).finally(() => {
      for (const sink of sinks) sink.close();
    });
    runtime.close();
    await writeLossCurve(folder, configName);
    await writeSkipped(folder, [
      ...dataset.skipped,
      ...[...result.undecodable].map(([path, reason]) => ({ path, reason })),
    ]);
    if (result.skippedSteps > 0)
      log.info(`${result.skippedSteps} batches had no usable overlap and were skipped`);
    log.info(
      `loss ${result.firstLoss.toFixed(3)} -> ${result.lastLoss.toFixed(3)}, spread of the outputs ` +
        `${result.spread.toFixed(2)} (1 = even, 0 = collapsed), ${(100 * result.outsideShare).toFixed(1)} % of the time outside TensorFlow`,
    );
    if (result.interrupted) log.info(`to resume: scrl pretrain --config ${configFile} --save_dir ${folder}`);
    return { folder, ...result, interrupted: result.interrupted ? interrupt.signal : undefined };
  } finally {
    interrupt.release();
    await run.release();
  }
}

/** Both networks start from the weights: a target that knows nothing would have to be caught up with first. */
async function startFrom(model: PretrainModel, config: Config, path: string, log: LiveLog): Promise<void> {
  const { loaded, dict } = await readBackbone({ path }, ENCODER, config.network.name, log);
  for (const { store } of [model.networks.online, model.networks.target]) {
    await loadModuleState(store, dict, loaded.path, ENCODER);
  }
  log.info(`starting from ${loaded.description}: ${loaded.path}`);
}

/** Passes every n-th step on; 0 or less: every step. */
function everyStep(interval: number, sink: MetricSink): MetricSink {
  return {
    write: (step, metrics) => {
      if (interval <= 1 || step % interval === 0) sink.write(step, metrics);
    },
    close: () => sink.close(),
  };
}
