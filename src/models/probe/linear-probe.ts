/**
 * Linear evaluation: a linear classifier on the pooled features of a backbone, and the step that trains it.
 *
 * The backbone is frozen, in inference with its running statistics; only with `finetune` it is trained too. The solver is
 * the reference's: LARS on SGD with Nesterov's momentum, layer-wise rates for weights and biases alike. Sources: spec of the
 * SCRL reference, sections 5.5 and 7.
 */

import type { ResNetName } from '../../core/architectures.js';
import type { Runtime } from '../../engine/runtime.js';
import type { InputSpec, Step } from '../../engine/step.js';
import { compiledOnce } from '../../engine/step-cache.js';
import { Linear } from '../../nn/layers.js';
import { ModuleStore, type StateEntry } from '../../nn/module-store.js';
import { globalAveragePool } from '../../ops/average-pool.js';
import { countCorrect } from '../../ops/count-correct.js';
import { crossEntropy } from '../../ops/cross-entropy.js';
import { type Tensor, tf } from '../../ops/tf.js';
import { Lars, type LarsOptions } from '../../solver/lars.js';
import { ADAPTED } from '../../solver/param-groups.js';
import type { Solver } from '../../solver/solver.js';
import { normalizeBytes } from '../../views/photometric.js';
import { ResNet } from '../backbone/resnet.js';
import { compileEvaluation } from './evaluation-step.js';

export interface LinearProbeOptions {
  readonly network: ResNetName;
  readonly classes: number;
  /** S, side of the images, pixels. */
  readonly side: number;
  /** Train the backbone too. */
  readonly finetune: boolean;
  readonly solver: LarsOptions;
}

/** What a step of training starts from. */
type Source = 'images' | 'features';

export class LinearProbe {
  /** Names as in pretraining: `encoder.*` and `linear.*`. */
  readonly backbone: ModuleStore;
  readonly head: ModuleStore;
  /** What is trained, in the order of the solver's buffers. */
  readonly trained: readonly StateEntry[];
  readonly solver: Solver;
  readonly channels: number;
  readonly #runtime: Runtime;
  readonly #options: LinearProbeOptions;
  readonly #encoder: ResNet;
  readonly #linear: Linear;
  readonly #trainStep = compiledOnce((source: Source, images: number) =>
    this.#compileTraining(source, images),
  );
  readonly #classifyStep = compiledOnce((rows: number) => this.#compileClassifier(rows));
  /** Logits and features of so many images in inference. */
  readonly evaluation = compiledOnce((images: number) => this.#compileEvaluation(images));

  constructor(runtime: Runtime, options: LinearProbeOptions) {
    this.#runtime = runtime;
    this.#options = options;
    this.backbone = new ModuleStore(runtime, 'online_network');
    this.#encoder = new ResNet(this.backbone, 'encoder.', options.network);
    this.channels = this.#encoder.channels;
    this.head = new ModuleStore(runtime, 'evaluator');
    const shape = { inputs: this.channels, outputs: options.classes, bias: true };
    this.#linear = new Linear(this.head, 'linear', shape);
    const stores = options.finetune ? [this.backbone, this.head] : [this.head];
    this.trained = stores.flatMap((store) => store.parameters());
    this.solver = new Lars(
      runtime,
      this.trained.map(({ variable }) => ({ variable, rule: ADAPTED })),
      options.solver,
    );
  }

  /**
   * One update from augmented images.
   *
   * @param images [N, S, S, 3] uint8
   * @param labels [N] int32
   * @returns mean loss, and how many images were right before the update
   */
  async train(
    images: Uint8Array,
    labels: Int32Array,
    rate: number,
  ): Promise<{ loss: number; correct: number }> {
    return this.#update('images', images, labels, rate);
  }

  /** One update from features [N, C] that were computed before; the backbone stays as it is. */
  async trainOnFeatures(
    features: Float32Array,
    labels: Int32Array,
    rate: number,
  ): Promise<{ loss: number; correct: number }> {
    return this.#update('features', features, labels, rate);
  }

  async #update(
    source: Source,
    data: Uint8Array | Float32Array,
    labels: Int32Array,
    rate: number,
  ): Promise<{ loss: number; correct: number }> {
    const step = this.#trainStep(source, labels.length);
    const { loss, correct } = await step.run({ data, labels, rate: Float32Array.of(rate) });
    return { loss: Number(loss[0]), correct: Number(correct[0]) };
  }

  #compileTraining(source: Source, images: number): Step<'data' | 'labels' | 'rate', string> {
    const { side } = this.#options;
    const inputs: Record<'data' | 'labels' | 'rate', InputSpec> = {
      data:
        source === 'images'
          ? { type: 'uint8', shape: [images, side, side, 3] }
          : { type: 'float32', shape: [images, this.channels] },
      labels: { type: 'int32', shape: [images] },
      rate: { type: 'float32', shape: [] },
    };
    return this.#runtime.compile(`probe_${source}_${images}`, inputs, (fed) => this.#record(source, fed));
  }

  #record(source: Source, { data, labels, rate }: Record<string, Tensor>): Record<string, Tensor> {
    const { finetune } = this.#options;
    const featuresOf = () => {
      if (source === 'features') return data;
      const mode = finetune ? 'training' : 'inference';
      return globalAveragePool(this.#encoder.forward(normalizeBytes(data), mode).res5);
    };
    // Outside of what is differentiated, a frozen backbone keeps nothing for a backward pass.
    const frozen = finetune ? undefined : featuresOf();
    let correct = data;
    const { value, grads } = tf.valueAndGrads(() => {
      const logits = this.#linear.forward(frozen ?? featuresOf());
      correct = tf.keep(countCorrect(logits, labels));
      return crossEntropy(logits, labels);
    })(this.trained.map(({ variable }) => variable.read()));
    this.solver.update(grads, rate);
    return { loss: value, correct };
  }

  /** A forward pass of `batch` images that updates the running statistics and nothing else, for weights that have none. */
  calibration(batch: number): Step<'images', string> {
    const { side } = this.#options;
    const inputs = { images: { type: 'uint8', shape: [batch, side, side, 3] } } as const;
    return this.#runtime.compile<'images', string>(`probe_calibration_${batch}`, inputs, ({ images }) => ({
      features: globalAveragePool(this.#encoder.forward(normalizeBytes(images), 'training').res5),
    }));
  }

  #compileEvaluation(images: number): Step<'images', string> {
    const networks = { encoder: this.#encoder, classifier: this.#linear };
    const shape = { batch: images, side: this.#options.side };
    return compileEvaluation(this.#runtime, `probe_evaluation_${images}`, networks, shape);
  }

  /** Logits of features [B, C]. */
  async classify(features: Float32Array): Promise<Float32Array> {
    const step = this.#classifyStep(features.length / this.channels);
    return (await step.run({ features })).logits as Float32Array;
  }

  #compileClassifier(rows: number): Step<'features', string> {
    const inputs = { features: { type: 'float32', shape: [rows, this.channels] } } as const;
    return this.#runtime.compile(`probe_classify_${rows}`, inputs, (fed) => ({
      logits: this.#linear.forward(fed.features),
    }));
  }
}
