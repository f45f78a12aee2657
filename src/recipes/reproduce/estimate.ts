/**
 * How long a plan takes, from a few timed steps of each kind of cell. Starting, reading data and evaluating between steps come on
 * top: the real time is some tenths longer.
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { resolveConfig } from '../../config/load.js';
import { DETECT } from '../../config/schemas/detect.js';
import type { ResultsConfig } from '../../config/schemas/results.js';
import { type LiveLog, SILENT } from '../../core/log.js';
import { detectTrain } from '../detect/index.js';
import { makeDetectPlan } from '../detect/plan.js';
import { secondsPerStep } from '../pretrain/dry-run.js';
import { openImages } from '../shared/open-images.js';
import type { Cell } from './cells.js';
import { detectConfig, linearConfig, pretrainConfig } from './settings.js';

/** A step of pretraining shows an image eight times to a network, forward: two views, target, gradients. */
const FORWARD_PER_IMAGE = 8;
/** One view, and its gradients. */
const SUPERVISED_SHARE = 3 / FORWARD_PER_IMAGE;
const TIMED_STEPS = 3;

export class Estimates {
  readonly #plan: ResultsConfig;
  readonly #log: LiveLog;
  readonly #known = new Map<string, Promise<number>>();

  constructor(plan: ResultsConfig, log: LiveLog) {
    this.#plan = plan;
    this.#log = log;
  }

  /** Seconds of a cell, from its beginning. */
  seconds(cell: Cell): Promise<number> {
    const { source } = cell.row;
    const key = source.kind === 'pretrained' && cell.kind === 'pretrain' ? source.method : cell.kind;
    const known = this.#known.get(key) ?? this.#measure(cell);
    this.#known.set(key, known);
    return known;
  }

  async #measure(cell: Cell): Promise<number> {
    this.#log.info(`timing steps of ${cell.kind === 'pretrain' ? cell.row.name : cell.kind}`);
    switch (cell.kind) {
      case 'pretrain': {
        const { source } = cell.row;
        if (source.kind !== 'pretrained') throw new Error(`${cell.id} has nothing to pretrain`);
        const { resolved } = pretrainConfig(this.#plan, cell, source.method, null);
        const { seconds, steps } = await secondsPerStep(resolved, SILENT);
        return seconds * steps * (source.method === 'supervised' ? SUPERVISED_SHARE : 1);
      }
      case 'linear':
        return this.#linear(cell);
      default:
        return this.#detector({ ...cell, kind: cell.kind });
    }
  }

  async #linear(cell: Cell): Promise<number> {
    const plan = this.#plan;
    const root = String(plan.data.classes);
    const { resolved } = linearConfig(plan, cell, { root, rate: plan.linear.rates[0], folder: null });
    const [train, val] = await Promise.all(
      (['train', 'val'] as const).map((split) => openImages({ root, split }, SILENT)),
    );
    const { seconds, images } = await secondsPerStep(resolved, SILENT);
    const perImage = seconds / images / FORWARD_PER_IMAGE;
    const epochs = plan.linear.fast ? 1 : resolved.config.eval.max_epochs;
    const tries = plan.linear.rates.length > 1 ? plan.linear.rates.length + 1 : 1;
    return perImage * tries * (epochs * train.count + val.count);
  }

  /** Two short runs; what they have in common is not a step. */
  async #detector(cell: Cell & { readonly kind: 'faster' | 'mask' }): Promise<number> {
    const { resolved, configFile } = detectConfig(this.#plan, cell, null);
    const { totalSteps, warmupSteps } = makeDetectPlan(resolved.config);
    const folder = await mkdtemp(join(tmpdir(), 'scrl-estimate-'));
    const time = async (steps: number) => {
      const overrides = {
        ...Object.fromEntries(resolved.schema.flatten(resolved.config)),
        save_dir: join(folder, String(steps)),
        'train/auto_scale': false,
        'train/max_steps': steps,
        'train/steps_at': [],
        'train/warmup_steps': Math.min(warmupSteps, 1),
        'dataset/val/annotations': null,
        // A random backbone will do, if nothing of it is frozen.
        'model/freeze_at': 0,
        'model/norm/backbone': 'batch',
      };
      const began = performance.now();
      await detectTrain({ resolved: resolveConfig(DETECT, { overrides }), configFile, log: SILENT });
      return (performance.now() - began) / 1000;
    };
    try {
      const short = await time(1);
      const step = Math.max(0, (await time(1 + TIMED_STEPS)) - short) / TIMED_STEPS;
      return step * totalSteps;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
}
