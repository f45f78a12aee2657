/** Features of images: a backbone alone, in inference, its pooled output or one of its maps. */

import type { LoadedBackbone } from '../../checkpoint/load-backbone.js';
import { initializeModule, loadModuleState } from '../../checkpoint/module-state.js';
import {
  LAYERS,
  type Layer,
  type ResNetName,
  resnetChannels,
  stageChannels,
} from '../../core/architectures.js';
import { elementCount } from '../../core/array.js';
import { UserError } from '../../core/errors.js';
import { type Log, SILENT } from '../../core/log.js';
import { centerCrops } from '../../data/center-crops.js';
import type { ImageDataset } from '../../data/dataset.js';
import type { ImageTable } from '../../data/image-table.js';
import type { Runtime } from '../../engine/runtime.js';
import type { Step } from '../../engine/step.js';
import { ResNet, STRIDES } from '../../models/backbone/resnet.js';
import { ModuleStore } from '../../nn/module-store.js';
import { globalAveragePool } from '../../ops/average-pool.js';
import { normalizeBytes } from '../../views/photometric.js';
import { type BackboneSource, readBackbone, underOurNames } from './backbone-weights.js';
import { calibrate, calibrationBatch } from './calibrate.js';
import { collectFeatures, type FeatureBatch, type Features, withFeatures } from './feature-table.js';

export interface EmbedderOptions {
  readonly network: ResNetName;
  /** S, of the images, pixels. */
  readonly side: number;
  /** B, images of a step; with `wholeBlocks` the features do not depend on it. */
  readonly batch: number;
  /** Default `pooled`. */
  readonly layer?: Layer;
  /** Images that are decoded at once. */
  readonly workers?: number;
}

export class Embedder {
  /** Of one image's features: [channels], or [H, W, channels]. */
  readonly shape: readonly number[];
  readonly #options: EmbedderOptions;
  readonly #store: ModuleStore;
  readonly #embed: Step<'images', 'features'>;
  readonly #encoder: ResNet;
  /** Where the weights come from, for messages. */
  #origin = 'random weights';

  constructor(runtime: Runtime, options: EmbedderOptions) {
    this.#options = options;
    this.shape = featureShape(options);
    this.#store = new ModuleStore(runtime, 'online_network');
    this.#encoder = new ResNet(this.#store, 'encoder.', options.network);
    this.#embed = this.#compile('inference', options.batch);
  }

  get channels(): number {
    return this.shape[this.shape.length - 1];
  }

  /** The weights that a pretraining run of this seed starts from. */
  async initialize(seed: number): Promise<void> {
    await initializeModule(this.#store, seed);
  }

  /** A backbone of any toolkit: where it is, or what was found there. */
  async load(source: BackboneSource | LoadedBackbone, log: Log = SILENT): Promise<void> {
    const { network } = this.#options;
    const { loaded, dict } =
      'tensors' in source
        ? { loaded: source, dict: underOurNames(source, 'encoder.') }
        : await readBackbone(source, 'encoder.', network, log);
    await loadModuleState(this.#store, dict, loaded.path);
    this.#origin = loaded.path;
  }

  /**
   * Estimates the running statistics of batch norm from images, as an untrained network has none: without them its
   * features would say more about wrong statistics than about its weights. Does not depend on the batch size of the features.
   *
   * @param order the images that are used are the first of these; default all, in order
   */
  async calibrate({ images }: Pick<ImageDataset, 'images'>, order?: Uint32Array): Promise<void> {
    const { side: size, workers } = this.#options;
    const batch = calibrationBatch(order?.length ?? images.count);
    const step = this.#compile('training', batch);
    const crops = { size, batch, ...(workers && { workers }), ...(order && { order }) };
    await calibrate(step, images, crops);
  }

  /**
   * Features of pixels.
   *
   * @param images [B, S, S, 3], a whole batch
   * @returns [B, ...shape]
   * @throws UserError when they are not finite
   */
  async run(images: Uint8Array): Promise<Float32Array> {
    const features = (await this.#embed.run({ images })).features as Float32Array;
    if (allFinite(features)) return features;
    throw new UserError('these weights give features that are not finite', {
      where: this.#origin,
      remedy: 'see in which tensors: scrl inspect FILE',
    });
  }

  /** Features batch by batch, in the order of the images, or of `order`. */
  async *features(images: ImageTable, order?: Uint32Array): AsyncGenerator<FeatureBatch, void, void> {
    const { side: size } = this.#options;
    const crops = centerCrops(images, { ...this.#options, size, ...(order && { order }) });
    yield* withFeatures(crops, elementCount(this.shape), (pixels) => this.run(pixels));
  }

  /** Pooled features of all images, or of those in `order`. @param onBatch receives the number of images done, and the last batch */
  async embed(
    dataset: ImageDataset,
    onBatch: (done: number, batch: FeatureBatch) => void = () => undefined,
    order?: Uint32Array,
  ): Promise<Features> {
    const { images, count } = dataset;
    const size = { images, count: order?.length ?? count, channels: this.channels };
    return collectFeatures(this.features(images, order), size, onBatch);
  }

  #compile(mode: 'training' | 'inference', batch: number): Step<'images', 'features'> {
    const { side, layer = 'pooled' } = this.#options;
    const input = { images: { type: 'uint8', shape: [batch, side, side, 3] } } as const;
    return this.#store.runtime.compile(`embed_${mode}`, input, ({ images }) => {
      const maps = this.#encoder.forward(normalizeBytes(images), mode);
      return { features: layer === 'pooled' ? globalAveragePool(maps.res5) : maps[layer] };
    });
  }
}

/** Of one image's features: [channels], or [H, W, channels]. */
export function featureShape({
  network,
  side,
  layer = 'pooled',
}: Pick<EmbedderOptions, 'network' | 'side' | 'layer'>): number[] {
  if (layer === 'pooled') return [resnetChannels(network)];
  const stage = LAYERS.indexOf(layer);
  const cells = Math.ceil(side / STRIDES[layer]);
  return [cells, cells, stageChannels(network)[stage]];
}

/** A difference with itself is 0 for finite numbers only; a sum is faster than a call for each of many millions. */
function allFinite(values: Float32Array): boolean {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] - values[i];
  return sum === 0;
}
