/**
 * Watches a pretraining run on labelled images, without touching it: accuracy of the online classifier on the validation
 * images, and of nearest neighbours in the features, both in inference.
 */

import type { PretrainConfig as Config } from '../../config/schemas/pretrain.js';
import { formatBytes } from '../../core/clock.js';
import type { LiveLog } from '../../core/log.js';
import { centerCrops } from '../../data/center-crops.js';
import { hasSplit, type ImageDataset, openDataset } from '../../data/dataset.js';
import type { Step } from '../../engine/step.js';
import { compiledOnce } from '../../engine/step-cache.js';
import {
  collectFeatures,
  type Features,
  soundRows,
  withFeatures,
} from '../../evaluation/features/feature-table.js';
import { evaluationPiece, validate } from '../../evaluation/features/validate.js';
import { chooseBank, knnAccuracies } from '../../evaluation/knn.js';
import { compileEvaluation } from '../../models/probe/evaluation-step.js';
import { Progress } from '../../report/progress.js';
import type { Metrics } from '../../report/sink.js';
import type { PeriodicWork } from '../../train/loop.js';
import { requireSameClasses } from '../linear/data.js';
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
  readonly #evaluation = compiledOnce(() => this.#compile());

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

  /**
   * What is measured, and when; nothing that cannot be.
   *
   * @param onScore told of each accuracy on the validation images, percent, after so many steps
   */
  works(onScore: (score: number, step: number) => Promise<void>): PeriodicWork[] {
    const { config, plan, dataset } = this.#context;
    const val = this.#val;
    const works: PeriodicWork[] = [];
    if (plan.classes !== undefined && val !== undefined) {
      const every = { epochs: config.train.valid_interval, last: true };
      works.push({
        every,
        run: async (step) => {
          const found = await this.#validate(val);
          this.#say(step, found);
          await onScore(found.val_top1, step);
          return found;
        },
      });
    }
    if (dataset.classes !== undefined) {
      const every = { epochs: config.train.knn_interval };
      works.push({ every, run: async (step) => this.#say(step, await this.#neighbours()) });
    }
    return works;
  }

  /** `epoch 3: val_top1 43.20 %, val_top5 81.00 %` */
  #say(step: number, found: Metrics): Metrics {
    const figures = Object.entries(found).map(([name, percent]) => `${name} ${percent.toFixed(2)} %`);
    if (figures.length > 0) {
      this.#context.log.info(`epoch ${step / this.#context.plan.stepsPerEpoch}: ${figures.join(', ')}`);
    }
    return found;
  }

  async #validate(dataset: ImageDataset): Promise<Metrics> {
    const { config, plan, log } = this.#context;
    const { num_workers: workers } = config.train;
    const options = { dataset, side: plan.side, workers, piece: this.#piece, log };
    const { top1, top5 } = await validate(this.#evaluation(), options);
    return { val_top1: top1, val_top5: top5 };
  }

  async #neighbours(): Promise<Metrics> {
    const { config, dataset, log } = this.#context;
    const order = chooseBank(dataset.count, config.train.knn_bank, config.seed);
    const bank = await this.#embed(dataset, order, 'kNN, bank');
    const val = this.#val;
    const queries =
      val === undefined ? bank : await this.#embed(val, chooseBank(val.count, val.count, 0), 'kNN, queries');
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

  #compile(): Step<'images', string> {
    const { model, plan } = this.#context;
    const { online, classifier } = model.networks;
    const networks = { encoder: online.encoder, classifier: classifier?.linear };
    return compileEvaluation(model.runtime, 'monitor', networks, { batch: this.#piece, side: plan.side });
  }
}
