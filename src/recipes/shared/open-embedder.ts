/** The network behind kNN, features and pictures of them: from a file of any toolkit, or with its initial weights. */

import { availableParallelism } from 'node:os';
import { type LoadedBackbone, loadBackbone } from '../../checkpoint/load-backbone.js';
import type { Layer, ResNetName } from '../../core/architectures.js';
import type { LiveLog } from '../../core/log.js';
import { RandomStream } from '../../core/rng.js';
import type { ImageTable } from '../../data/image-table.js';
import type { BackboneSource } from '../../evaluation/features/backbone-weights.js';
import { Embedder } from '../../evaluation/features/embed.js';
import { type EngineOptions, openEngine } from './open-engine.js';

export interface WeightsOptions {
  /** A file, or the architecture whose initial weights are drawn. */
  readonly weights: BackboneSource | { readonly random: ResNetName };
  /** Names all random draws; default 0. */
  readonly seed?: number;
  /** S, side of the images, pixels; default 224. */
  readonly size?: number;
  /** B, images of a step; default 64. Features do not depend on it. */
  readonly batch?: number;
  /** Images that are decoded at once; default: one for each processor. */
  readonly workers?: number;
  readonly engine?: EngineOptions;
}

/** Nothing left open. */
export type WeightsSettings = Required<WeightsOptions>;

export function withDefaults<T extends WeightsOptions>(options: T): T & WeightsSettings {
  return { seed: 0, size: 224, batch: 64, workers: availableParallelism(), engine: {}, ...options };
}

export interface Weights {
  readonly network: ResNetName;
  /** What they are, for people and reports: the file, or `random, seed 0`. */
  readonly name: string;
  /** Absent for random weights. */
  readonly backbone?: LoadedBackbone;
}

/**
 * Finds the network of a file; cheap, so that mistakes show before images are scanned and TensorFlow is opened.
 *
 * @throws UserError when there is no such file, or no backbone in it
 */
export async function readWeights({ weights, seed }: WeightsSettings, log: LiveLog): Promise<Weights> {
  if ('random' in weights) return { network: weights.random, name: `random, seed ${seed}` };
  const { path, ...choice } = weights;
  const backbone = await loadBackbone(path, { ...choice, roleFlag: '--role' }, log);
  log.info(`${backbone.path}: ${backbone.description}`);
  return { network: backbone.network, name: backbone.path, backbone };
}

/**
 * Calls `work` with the network, its weights in place, and closes TensorFlow afterwards.
 *
 * @param images of these the statistics of batch norm are estimated where the weights are random
 */
export async function withEmbedder<T>(
  { network, backbone }: Weights,
  options: WeightsSettings & { readonly layer: Layer },
  images: ImageTable,
  log: LiveLog,
  work: (embedder: Embedder) => Promise<T>,
): Promise<T> {
  const { seed, size: side, batch, layer, workers } = options;
  const runtime = await openEngine(options.engine, log);
  try {
    const embedder = new Embedder(runtime, {
      network,
      side,
      batch,
      layer,
      workers,
    });
    if (backbone === undefined) {
      await embedder.initialize(seed);
      const order = Uint32Array.from({ length: images.count }, (_, i) => i);
      await embedder.calibrate({ images }, new RandomStream(seed, 'calibration').shuffle(order));
      log.info('random weights; statistics of batch norm from these images');
    } else {
      await embedder.load(backbone, log);
    }
    return await work(embedder);
  } finally {
    runtime.close();
  }
}
