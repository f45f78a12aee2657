/** Features of images: a backbone alone, in inference, its pooled output or one of its maps. */

import { elementCount } from '../core/array.js';
import { type Log, SILENT } from '../core/log.js';
import { type CenterCropBatch, centerCrops } from '../data/center-crops.js';
import type { ImageDataset } from '../data/dataset.js';
import type { ImageTable } from '../data/image-table.js';
import type { Runtime } from '../engine/runtime.js';
import type { Step } from '../engine/step.js';
import {
  ARCHITECTURES,
  type ResNetName,
  resnetChannels,
  stageWidth,
} from '../models/backbone/architectures.js';
import { ResNet, STRIDES } from '../models/backbone/resnet.js';
import { ModuleStore } from '../nn/module-store.js';
import { globalAveragePool } from '../ops/average-pool.js';
import { normalizeBytes } from '../views/photometric.js';
import { type BackboneSource, readBackbone } from './backbone-weights.js';
import { initializeModule, loadModuleState } from './module-state.js';

export const LAYERS = ['res2', 'res3', 'res4', 'res5', 'pooled'] as const;
export type Layer = (typeof LAYERS)[number];

export interface EmbedderOptions {
  readonly network: ResNetName;
  /** S, of the images, pixels. */
  readonly side: number;
  /** B, images of a step. */
  readonly batch: number;
  /** Default `pooled`. */
  readonly layer?: Layer;
  /** Images that are decoded at once. */
  readonly workers?: number;
}

/** Pooled features of labelled images. */
export interface Features {
  /** [count, channels] */
  data: Float32Array;
  /** [count]; -1 without label, and where the file could not be decoded */
  labels: Int32Array;
  channels: number;
}

export interface FeatureBatch extends CenterCropBatch {
  /** [N, ...shape] */
  readonly features: Float32Array;
}

const CALIBRATION_BATCHES = 40;

export class Embedder {
  /** Of one image's features: [channels], or [H, W, channels]. */
  readonly shape: readonly number[];
  readonly #options: EmbedderOptions;
  readonly #store: ModuleStore;
  readonly #embed: Step<'images', 'features'>;
  readonly #encoder: ResNet;
  #calibrate: Step<'images', 'features'> | undefined;

  constructor(runtime: Runtime, options: EmbedderOptions) {
    this.#options = options;
    this.shape = featureShape(options);
    this.#store = new ModuleStore(runtime, 'online_network');
    this.#encoder = new ResNet(this.#store, 'encoder.', options.network);
    this.#embed = this.#compile('inference');
  }

  get channels(): number {
    return this.shape[this.shape.length - 1];
  }

  /** The weights that a pretraining run of this seed starts from. */
  async initialize(seed: number): Promise<void> {
    await initializeModule(this.#store, seed);
  }

  /** A backbone of any toolkit. */
  async load(source: BackboneSource, log: Log = SILENT): Promise<void> {
    const { loaded, dict } = await readBackbone(source, 'encoder.', this.#options.network, log);
    await loadModuleState(this.#store, dict, loaded.path);
  }

  /**
   * Estimates the running statistics of batch norm from images, as an untrained network has none: without them its
   * features would say more about wrong statistics than about its weights.
   */
  async calibrate(dataset: ImageDataset): Promise<void> {
    this.#calibrate ??= this.#compile('training');
    const { side: size, batch } = this.#options;
    for (let batches = 0; batches < CALIBRATION_BATCHES; ) {
      for await (const { images, indices } of centerCrops(dataset.images, { ...this.#options, size })) {
        if (indices.length === batch) await this.#calibrate.run({ images });
        if (++batches === CALIBRATION_BATCHES) break;
      }
    }
  }

  /** Features batch by batch, in the order of the images, or of `order`. */
  async *features(images: ImageTable, order?: Uint32Array): AsyncGenerator<FeatureBatch, void, void> {
    const { side: size } = this.#options;
    const crops = centerCrops(images, { ...this.#options, size, ...(order && { order }) });
    for await (const batch of crops) {
      const { features } = await this.#embed.run({ images: batch.images });
      const rows = (features as Float32Array).subarray(0, batch.indices.length * elementCount(this.shape));
      yield { ...batch, features: rows };
    }
  }

  /** Pooled features of all images, or of those in `order`. @param onProgress receives the number of images done */
  async embed(
    dataset: ImageDataset,
    onProgress: (done: number) => void = () => undefined,
    order?: Uint32Array,
  ): Promise<Features> {
    const count = order?.length ?? dataset.count;
    const data = new Float32Array(count * this.channels);
    const labels = new Int32Array(count);
    let done = 0;
    for await (const { features, indices, sound } of this.features(dataset.images, order)) {
      data.set(features, done * this.channels);
      for (const [i, image] of indices.entries())
        labels[done + i] = sound[i] ? dataset.images.label(image) : -1;
      done += indices.length;
      onProgress(done);
    }
    return { data, labels, channels: this.channels };
  }

  #compile(mode: 'training' | 'inference'): Step<'images', 'features'> {
    const { side, batch, layer = 'pooled' } = this.#options;
    const input = { images: { type: 'uint8', shape: [batch, side, side, 3] } } as const;
    return this.#store.runtime.compile(`embed_${mode}`, input, ({ images }) => {
      const maps = this.#encoder.forward(normalizeBytes(images), mode);
      return { features: layer === 'pooled' ? globalAveragePool(maps.res5) : maps[layer] };
    });
  }
}

function featureShape({ network, side, layer = 'pooled' }: EmbedderOptions): number[] {
  if (layer === 'pooled') return [resnetChannels(network)];
  const stage = LAYERS.indexOf(layer);
  const cells = Math.ceil(side / STRIDES[layer]);
  return [cells, cells, stageWidth(stage) * ARCHITECTURES[network].expansion];
}
