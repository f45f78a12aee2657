/** The fast mode: features of centre crops, computed once and kept in memory, in place of augmented images. */

import { centerCrops } from '../../data/center-crops.js';
import type { ImageDataset } from '../../data/dataset.js';
import { NO_LABEL } from '../../data/image-table.js';
import { epochBatches, epochOrder } from '../../data/sampler.js';
import type { LinearProbe } from '../../models/probe/linear-probe.js';
import type { Console } from '../../report/console.js';
import { Progress } from '../../report/progress.js';
import { evaluationPiece } from '../validate.js';
import type { LinearContext } from './train.js';

interface Table {
  /** [count, channels] */
  readonly features: Float32Array;
  /** [count] */
  readonly labels: Int32Array;
}

/** Rows that are classified at once. */
const PIECE = 1024;

export class CachedFeatures {
  readonly #train: Table;
  readonly #val: Table;
  readonly #channels: number;
  readonly #batch: number;
  readonly #seed: number;

  private constructor(train: Table, val: Table, { probe, plan, config }: LinearContext) {
    this.#train = train;
    this.#val = val;
    this.#channels = probe.channels;
    this.#batch = plan.batch;
    this.#seed = config.seed;
  }

  static async compute(context: LinearContext): Promise<CachedFeatures> {
    const { data, subset } = context;
    const all = Uint32Array.from({ length: data.val.count }, (_, i) => i);
    const train = await embed(context, data.train, subset, true);
    return new CachedFeatures(train, await embed(context, data.val, all, false), context);
  }

  /** Batches of an epoch. @param firstStep within the epoch */
  async *batches(epoch: number, firstStep: number) {
    const { features, labels } = this.#train;
    const order = epochOrder(this.#seed, epoch, labels.length);
    for (const { indices } of epochBatches(order, { batchSize: this.#batch, firstStep })) {
      const data = new Float32Array(indices.length * this.#channels);
      for (const [i, row] of indices.entries()) data.set(this.#row(features, row), i * this.#channels);
      yield { data, labels: Int32Array.from(indices, (row) => labels[row]) };
    }
  }

  *validation(): Generator<{ features: Float32Array; labels: Int32Array }> {
    const { features, labels } = this.#val;
    for (let start = 0; start < labels.length; start += PIECE) {
      const end = Math.min(start + PIECE, labels.length);
      yield {
        features: features.subarray(start * this.#channels, end * this.#channels),
        labels: labels.subarray(start, end),
      };
    }
  }

  #row(features: Float32Array, row: number): Float32Array {
    return features.subarray(row * this.#channels, (row + 1) * this.#channels);
  }
}

/** Images that cannot be decoded have features of zeros; in the validation they do not count. */
async function embed(
  {
    config,
    plan,
    probe,
    log,
  }: { config: LinearContext['config']; plan: LinearContext['plan']; probe: LinearProbe; log: Console },
  dataset: ImageDataset,
  order: Uint32Array,
  trains: boolean,
): Promise<Table> {
  const piece = evaluationPiece(config.eval.batch_size_eval, order.length);
  const step = probe.evaluation(piece);
  const features = new Float32Array(order.length * probe.channels);
  const labels = new Int32Array(order.length);
  const progress = new Progress(log, {
    label: `features, ${trains ? 'train' : 'val'}`,
    total: order.length,
    unit: 'images',
  });
  let done = 0;
  const crops = centerCrops(dataset.images, {
    size: plan.side,
    batch: piece,
    workers: config.eval.num_workers,
    order,
  });
  for await (const { images, indices, sound, failures } of crops) {
    for (const { path, reason } of failures) log.warn(`${path}: ${reason}; its features are zeros`);
    const found = (await step.run({ images })).features as Float32Array;
    for (const [i, image] of indices.entries()) {
      labels[done + i] = dataset.images.label(image);
      const row = found.subarray(i * probe.channels, (i + 1) * probe.channels);
      if (sound[i]) features.set(row, (done + i) * probe.channels);
      else if (!trains) labels[done + i] = NO_LABEL;
    }
    done += indices.length;
    progress.update(done);
  }
  progress.finish();
  return { features, labels };
}
