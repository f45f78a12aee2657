/** The fast mode: features of centre crops, computed once and kept in memory, in place of augmented images. */

import { centerCrops } from '../../data/center-crops.js';
import type { ImageDataset } from '../../data/dataset.js';
import { epochBatches, epochOrder } from '../../data/sampler.js';
import { collectFeatures, type Features, withFeatures } from '../../evaluation/features/feature-table.js';
import { evaluationPiece } from '../../evaluation/features/validate.js';
import { Progress } from '../../report/progress.js';
import type { LinearContext, TrainBatch } from './task.js';

/** Rows that are classified at once. */
const PIECE = 1024;

export class CachedFeatures {
  readonly #train: Features;
  readonly #val: Features;
  readonly #channels: number;
  readonly #batch: number;
  readonly #seed: number;

  private constructor(train: Features, val: Features, { probe, plan, config }: LinearContext) {
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
  async *batches(epoch: number, firstStep: number): AsyncGenerator<TrainBatch, void, void> {
    const { data: features, labels } = this.#train;
    const order = epochOrder(this.#seed, epoch, labels.length);
    for (const { indices } of epochBatches(order, { batchSize: this.#batch, firstStep })) {
      const data = new Float32Array(indices.length * this.#channels);
      for (const [i, row] of indices.entries()) data.set(this.#row(features, row), i * this.#channels);
      yield { data, labels: Int32Array.from(indices, (row) => labels[row]), files: [], replaced: [] };
    }
  }

  *validation(): Generator<{ features: Float32Array; labels: Int32Array }> {
    const { data: features, labels } = this.#val;
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
  { config, plan, probe, log }: Pick<LinearContext, 'config' | 'plan' | 'probe' | 'log'>,
  dataset: ImageDataset,
  order: Uint32Array,
  trains: boolean,
): Promise<Features> {
  const piece = evaluationPiece(config.eval.batch_size_eval, order.length);
  const step = probe.evaluation(piece);
  const label = `features, ${trains ? 'train' : 'val'}`;
  const progress = new Progress(log, { label, total: order.length, unit: 'images' });
  const crops = centerCrops(dataset.images, {
    size: plan.side,
    batch: piece,
    workers: config.eval.num_workers,
    order,
  });
  const { channels } = probe;
  const run = async (images: Uint8Array) => (await step.run({ images })).features as Float32Array;
  const size = { images: dataset.images, count: order.length, channels };
  const features = await collectFeatures(withFeatures(crops, channels, run), size, (done, { failures }) => {
    for (const { path, reason } of failures) log.warn(`${path}: ${reason}; its features are zeros`);
    progress.update(done);
  });
  progress.finish();
  // A batch of training has no gaps: a row of zeros teaches the bias only.
  if (trains) for (const [i, image] of order.entries()) features.labels[i] = dataset.images.label(image);
  return features;
}
