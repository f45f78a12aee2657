/** Features of images: a backbone alone, its pooled output, in inference. */

import { type Log, SILENT } from '../core/log.js';
import type { ImageDataset } from '../data/dataset.js';
import { loadViews } from '../data/loader.js';
import { epochBatches } from '../data/sampler.js';
import type { Runtime } from '../engine/runtime.js';
import type { Step } from '../engine/step.js';
import { centerCropWindow } from '../image/crops.js';
import type { ResNetName } from '../models/backbone/architectures.js';
import { ResNet } from '../models/backbone/resnet.js';
import { ModuleStore } from '../nn/module-store.js';
import { globalAveragePool } from '../ops/average-pool.js';
import { normalizeBytes } from '../views/photometric.js';
import { readBackbone } from './backbone-weights.js';
import { initializeModule, loadModuleState } from './module-state.js';

/** Shorter side before the centre crop, relative to the crop: 256 for 224. */
const RESIZE_RATIO = 256 / 224;
/** Of the evaluation's resized picture the centre is taken; twice its pixels are decoded where there are that many. */
const HEADROOM = 2;
const CALIBRATION_BATCHES = 40;

export interface Features {
  /** [count, channels] */
  data: Float32Array;
  labels: Int32Array;
  channels: number;
}

export class Embedder {
  readonly channels: number;
  readonly #store: ModuleStore;
  readonly #backbone: ResNetName;
  readonly #side: number;
  readonly #batch: number;
  readonly #embed: Step<'images', 'features'>;
  readonly #calibrate: Step<'images', 'features'>;

  /** @param side of the images, pixels */
  constructor(runtime: Runtime, backbone: ResNetName, side: number, batch: number) {
    this.#store = new ModuleStore(runtime, 'online_network');
    const encoder = new ResNet(this.#store, 'encoder.', backbone);
    this.channels = encoder.channels;
    this.#backbone = backbone;
    this.#side = side;
    this.#batch = batch;
    const input = { images: { type: 'uint8', shape: [batch, side, side, 3] } } as const;
    const compile = (name: string, mode: 'training' | 'inference') =>
      runtime.compile(name, input, ({ images }) => ({
        features: globalAveragePool(encoder.forward(normalizeBytes(images), mode).res5),
      }));
    this.#embed = compile('embed', 'inference');
    this.#calibrate = compile('calibrate', 'training');
  }

  /** The weights that a pretraining run of this seed starts from. */
  async initialize(seed: number): Promise<void> {
    await initializeModule(this.#store, seed);
  }

  /** A backbone of any toolkit. @param path file or run folder */
  async load(path: string, log: Log = SILENT): Promise<void> {
    const { loaded, dict } = await readBackbone({ path }, 'encoder.', this.#backbone, log);
    await loadModuleState(this.#store, dict, loaded.path);
  }

  /**
   * Estimates the running statistics of batch norm from images, as an untrained network has none: without them its
   * features would say more about wrong statistics than about its weights.
   */
  async calibrate(dataset: ImageDataset): Promise<void> {
    let batches = 0;
    while (batches < CALIBRATION_BATCHES) {
      for await (const images of this.#batches(dataset)) {
        if (images.count === this.#batch) await this.#calibrate.run({ images: images.data });
        if (++batches === CALIBRATION_BATCHES) break;
      }
    }
  }

  /** Features of all images, in their order. @param onProgress receives the number of images done */
  async embed(
    dataset: ImageDataset,
    onProgress: (done: number) => void = () => undefined,
  ): Promise<Features> {
    const data = new Float32Array(dataset.count * this.channels);
    let done = 0;
    for await (const { data: images, count } of this.#batches(dataset)) {
      const { features } = await this.#embed.run({ images });
      data.set((features as Float32Array).subarray(0, count * this.channels), done * this.channels);
      done += count;
      onProgress(done);
    }
    const labels = Int32Array.from({ length: dataset.count }, (_, i) => dataset.images.label(i));
    return { data, labels, channels: this.channels };
  }

  /** Batches of a fixed size; the last one is filled up with black. */
  async *#batches(dataset: ImageDataset): AsyncGenerator<{ data: Uint8Array; count: number }> {
    const size = this.#side;
    const order = Uint32Array.from({ length: dataset.count }, (_, i) => i);
    const batches = loadViews<undefined>({
      images: dataset.images,
      batches: epochBatches(order, { batchSize: this.#batch }),
      size,
      views: 1,
      seed: 0,
      epoch: 0,
      workers: 4,
      headroom: HEADROOM,
      draw: (_, { width, height }) => [
        {
          crop: centerCropWindow(width, height, Math.round(size * RESIZE_RATIO), size),
          photometric: undefined,
        },
      ],
    });
    for await (const { images, indices } of batches) {
      const full = this.#batch * size * size * 3;
      const data = images.length === full ? images : new Uint8Array(full);
      if (data !== images) data.set(images);
      yield { data, count: indices.length };
    }
  }
}
