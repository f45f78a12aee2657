/**
 * Watches a pretraining run on labelled images, without touching it: accuracy of the online classifier on the validation
 * images, and of nearest neighbours in the features, both in inference.
 */

import type { Config } from '../../config/schema.js';
import { formatBytes } from '../../core/clock.js';
import type { LiveLog } from '../../core/log.js';
import { RandomStream } from '../../core/rng.js';
import { centerCrops } from '../../data/center-crops.js';
import { hasSplit, type ImageDataset, openDataset } from '../../data/dataset.js';
import type { Step } from '../../engine/step.js';
import {
  collectFeatures,
  type Features,
  soundRows,
  withFeatures,
} from '../../evaluation/features/feature-table.js';
import { evaluationPiece, validate } from '../../evaluation/features/validate.js';
import { knnAccuracies } from '../../evaluation/knn.js';
import { compileEvaluation } from '../../models/probe/evaluation-step.js';
import { Progress } from '../../report/progress.js';
import { requireSameClasses } from '../linear/data.js';
import { isDue } from '../linear/plan.js';
import type { PretrainModel } from './model.js';
import type { Plan } from './plan.js';

export interface MonitorContext {
  readonly config: Config;
  readonly plan: Plan;
  readonly model: PretrainModel;
  readonly dataset: ImageDataset;
  readonly log: LiveLog;
}

const TEMPERATURE = 0.07;
const NEIGHBOURS = [20, 200] as const;

export class Monitor {
  readonly #context: MonitorContext;
  /** Undefined: neighbours are looked for among the training images themselves, and nothing is validated. */
  readonly #val: ImageDataset | undefined;
  #step: Step<'images', string> | undefined;

  private constructor(context: MonitorContext, val: ImageDataset | undefined) {
    this.#context = context;
    this.#val = val;
  }

  /** Says what is off, and why. @throws UserError when the validation images have other classes */
  static async open(context: MonitorContext): Promise<Monitor> {
    const { config, plan, dataset, log } = context;
    const { root, annotations } = config.dataset;
    const labelled = dataset.classes !== undefined;
    const wanted = labelled && (plan.classes !== undefined || config.train.knn_interval > 0);
    if (!wanted || root === null || annotations !== null) return new Monitor(context, undefined);
    if (!(await hasSplit(root, 'val'))) {
      if (plan.classes !== undefined) {
        log.info(
          `the online classifier is not validated: there is no \`val\` folder beside \`train\` in ${root}`,
        );
      }
      return new Monitor(context, undefined);
    }
    const val = await openDataset({ root, split: 'val', log });
    requireSameClasses(dataset, val);
    return new Monitor(context, val);
  }

  /** @param epoch that has ended, counted from 1 @returns figures in percent; empty when nothing is due */
  async run(epoch: number): Promise<Record<string, number>> {
    return { ...(await this.#validate(epoch)), ...(await this.#neighbours(epoch)) };
  }

  /** Whether `run` has anything to do. */
  due(epoch: number): boolean {
    return this.#validates(epoch) || this.#comparesNeighbours(epoch);
  }

  #validates(epoch: number): boolean {
    const { config, plan } = this.#context;
    const on = plan.classes !== undefined && this.#val !== undefined;
    return on && isDue(config.train.valid_interval, epoch, plan.epochs);
  }

  #comparesNeighbours(epoch: number): boolean {
    const { config, dataset } = this.#context;
    const interval = config.train.knn_interval;
    return dataset.classes !== undefined && interval > 0 && epoch % interval === 0;
  }

  async #validate(epoch: number): Promise<Record<string, number>> {
    if (!this.#validates(epoch) || this.#val === undefined) return {};
    const { config, plan, log } = this.#context;
    const options = {
      dataset: this.#val,
      side: plan.side,
      workers: config.train.num_workers,
      piece: this.#piece,
      log,
    };
    const { top1, top5 } = await validate(this.#evaluation(), options);
    return { val_top1: top1, val_top5: top5 };
  }

  async #neighbours(epoch: number): Promise<Record<string, number>> {
    if (!this.#comparesNeighbours(epoch)) return {};
    const { config, dataset, log } = this.#context;
    const order = bankOf(dataset.count, config.train.knn_bank, config.seed);
    const bank = await this.#embed(dataset, order, 'kNN, bank');
    const val = this.#val;
    const queries =
      val === undefined ? bank : await this.#embed(val, bankOf(val.count, val.count, 0), 'kNN, queries');
    // Not even one image to compare another with: nothing that should end a training.
    if (bank.labels.length < 2 || queries.labels.length === 0) return {};
    const results = knnAccuracies(
      {
        bank: bank.data,
        bankLabels: bank.labels,
        queries: queries.data,
        queryLabels: queries.labels,
        classes: dataset.classes?.length ?? 0,
        temperature: TEMPERATURE,
        excludeSelf: val === undefined,
      },
      NEIGHBOURS,
    );
    log.debug(`kNN: ${bank.labels.length} neighbours to choose from, ${formatBytes(bank.data.byteLength)}`);
    return Object.fromEntries(NEIGHBOURS.map((k, i) => [`knn_${k}`, results[i].top1]));
  }

  async #embed(dataset: ImageDataset, order: Uint32Array, label: string): Promise<Features> {
    const { config, plan, model, log } = this.#context;
    const { channels } = model.networks.online.encoder;
    const progress = new Progress(log, { label, total: order.length, unit: 'images' });
    const options = { size: plan.side, batch: this.#piece, workers: config.train.num_workers, order };
    const run = async (images: Uint8Array) =>
      (await this.#evaluation().run({ images })).features as Float32Array;
    const batches = withFeatures(centerCrops(dataset.images, options), channels, run);
    const size = { images: dataset.images, count: order.length, channels };
    const features = await collectFeatures(batches, size, (done) => progress.update(done));
    progress.finish();
    return soundRows(features);
  }

  get #piece(): number {
    const { config, dataset } = this.#context;
    return evaluationPiece(config.train.batch_size_eval, dataset.count);
  }

  #evaluation(): Step<'images', string> {
    const { model, plan } = this.#context;
    const { online, evaluator } = model.networks;
    const networks = { encoder: online.encoder, classifier: evaluator?.linear };
    this.#step ??= compileEvaluation(model.runtime, 'monitor', networks, {
      batch: this.#piece,
      side: plan.side,
    });
    return this.#step;
  }
}

/** At most so many images, always the same ones for a seed, in ascending order. */
function bankOf(count: number, limit: number, seed: number): Uint32Array {
  const all = Uint32Array.from({ length: count }, (_, i) => i);
  if (count <= limit) return all;
  return new RandomStream(seed, 'bank of nearest neighbours').shuffle(all).slice(0, limit).sort();
}
