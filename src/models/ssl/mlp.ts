import { Linear } from '../../nn/layers.js';
import type { ModuleStore } from '../../nn/module-store.js';
import { BatchNorm, type Mode } from '../../nn/norm.js';
import { relu } from '../../ops/relu.js';
import type { Tensor } from '../../ops/tf.js';

/**
 * Projector and predictor: linear with bias, batch norm, ReLU, linear without bias. The reference calls them linear
 * heads; they are two-layer perceptrons, as in BYOL (Grill et al., 2020).
 */
export class Mlp {
  readonly #hidden: Linear;
  readonly #norm: BatchNorm;
  readonly #output: Linear;

  constructor(
    store: ModuleStore,
    prefix: string,
    sizes: { inputs: number; hidden: number; outputs: number },
  ) {
    const { inputs, hidden, outputs } = sizes;
    this.#hidden = new Linear(store, `${prefix}net.0`, { inputs, outputs: hidden, bias: true });
    this.#norm = new BatchNorm(store, `${prefix}net.1`, hidden);
    this.#output = new Linear(store, `${prefix}net.3`, { inputs: hidden, outputs, bias: false });
  }

  /**
   * @param x [R, inputs]
   * @param weights [R, 1], 0 for padding rows; without it all rows count
   * @returns [R, outputs]
   */
  forward(x: Tensor, mode: Mode, weights?: Tensor): Tensor {
    return this.#output.forward(relu(this.#norm.forward(this.#hidden.forward(x), mode, weights)));
  }
}
