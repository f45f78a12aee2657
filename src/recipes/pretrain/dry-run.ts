/**
 * Checks everything that a pretraining run needs without starting it: configuration, data, memory, one real step, a
 * checkpoint written to the run's disk and read back; and estimates the time. Leaves nothing behind.
 */

import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { loadCheckpoint } from '../../checkpoint/checkpointer.js';
import type { ResolvedConfig } from '../../config/load.js';
import type { PretrainConfig as Config } from '../../config/schemas/pretrain.js';
import { formatBytes, formatDuration } from '../../core/clock.js';
import { counted } from '../../core/counted.js';
import { UserError } from '../../core/errors.js';
import { explainWriteError, makeFolder } from '../../core/fs.js';
import type { LiveLog } from '../../core/log.js';
import type { Runtime } from '../../engine/runtime.js';
import { openEngine } from '../shared/open-engine.js';
import { sayOutline } from '../shared/run-outline.js';
import { save } from './checkpoints.js';
import { PretrainModel } from './model.js';
import { outlinePretraining } from './plan.js';
import { openData } from './setup.js';
import { preparedBatches, runStep, type StepParts } from './task.js';
import { loadTrainingState } from './training-state.js';

/** Steps that are timed, after one that is not. */
const TIMED_STEPS = 2;

export async function dryRun({
  resolved,
  log,
}: {
  resolved: ResolvedConfig<Config>;
  log: LiveLog;
}): Promise<void> {
  const { config } = resolved;
  const { dataset, plan } = await openData(config, log);
  const runtime = await openEngine(config.engine, log);
  try {
    await check(resolved, runtime, { dataset, plan }, log);
  } finally {
    runtime.close();
  }
}

/** Times a few real steps. @returns seconds of one, its images, and how many a whole run has */
export async function secondsPerStep(
  { config }: ResolvedConfig<Config>,
  log: LiveLog,
): Promise<{ seconds: number; images: number; steps: number }> {
  const { dataset, plan } = await openData(config, log);
  const runtime = await openEngine(config.engine, log);
  try {
    const model = new PretrainModel(runtime, config, plan, log);
    await model.initialize(config.seed, config.network.target_init === 'copy');
    const seconds = await timeSteps({ config, plan, dataset, model });
    return { seconds, images: plan.batch, steps: plan.totalSteps };
  } finally {
    runtime.close();
  }
}

async function check(
  resolved: ResolvedConfig<Config>,
  runtime: Runtime,
  { dataset, plan }: Awaited<ReturnType<typeof openData>>,
  log: LiveLog,
): Promise<void> {
  const { config } = resolved;
  sayOutline(outlinePretraining(resolved, plan, dataset.count), log);
  const model = new PretrainModel(runtime, config, plan, log);
  await model.initialize(config.seed, config.network.target_init === 'copy');

  const stepSeconds = await timeSteps({ config, plan, dataset, model });
  const peak = process.resourceUsage().maxRSS * 1024;
  const limit = await memoryLimit();
  log.info(`memory: ${formatBytes(peak)} at most so far, of ${formatBytes(limit)}`);
  if (peak > 0.9 * limit) {
    log.warn('this is close to all there is: use a smaller train/batch_size_train or augment/input_size');
  }

  const parent = resolve(config.save_dir === null ? join(config.top_dir, 'runs') : dirname(config.save_dir));
  const folder = await temporaryFolder(parent);
  try {
    const context = { model, config, plan, folder, log };
    const path = await save(context, { step: 1 }, 'rolling');
    const { value } = await loadCheckpoint(path, log);
    await loadTrainingState(model, config, plan, value, { where: path, restartEpoch: false, log });
    log.info(`checkpoint: ${formatBytes((await stat(path)).size)}, written to ${parent} and read back`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const seconds = stepSeconds * plan.totalSteps;
  log.info(
    `time: ${formatDuration(stepSeconds)} for a step of ${counted(plan.batch, 'image')}, ` +
      `${formatDuration(stepSeconds * plan.stepsPerEpoch)} for an epoch of ${counted(plan.stepsPerEpoch, 'step')}, ` +
      `${formatDuration(seconds)} for the run of ${counted(plan.epochs, 'epoch')}`,
  );
}

async function timeSteps(parts: StepParts): Promise<number> {
  const { plan, dataset } = parts;
  let done = -1;
  let began = performance.now();
  for (let epoch = 0; done < TIMED_STEPS && epoch < 10; epoch++) {
    for await (const { batch, inputs } of preparedBatches(parts, epoch, 0)) {
      if (inputs === undefined || batch.indices.length !== plan.batch) continue;
      const { loss } = await runStep(parts, { batch, inputs }, 0);
      if (!Number.isFinite(loss))
        throw new UserError(`the loss of the first step is ${loss}`, { where: dataset.root });
      done++;
      // The first step includes compiling and the first touch of all memory.
      if (done === 0) began = performance.now();
      if (done === TIMED_STEPS) break;
    }
  }
  if (done < 1) {
    throw new UserError('no batch with a usable overlap of views was found', {
      where: dataset.root,
      remedy:
        'raise the lower end of augment/crop_scale, lower network/scrl/min_size, or set augment/ensure_overlap true',
    });
  }
  return (performance.now() - began) / 1000 / done;
}

async function temporaryFolder(parent: string): Promise<string> {
  await makeFolder(parent);
  return mkdtemp(join(parent, 'dry_run_')).catch((error) => {
    throw explainWriteError(parent, error);
  });
}

/** Memory that this process may use: the machine's, or less in a container. */
async function memoryLimit(): Promise<number> {
  const text = await readFile('/sys/fs/cgroup/memory.max', 'utf8').catch(() => 'max');
  const limit = Number(text);
  return Number.isFinite(limit) && limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}
