/** What the region proposal network says about every anchor (Ren et al., 2015), one head for all levels. It has no norms. */

import { normal } from '../../nn/init.js';
import { Conv2d } from '../../nn/layers.js';
import type { ModuleStore } from '../../nn/module-store.js';
import { relu } from '../../ops/relu.js';
import type { Tensor } from '../../ops/tf.js';

export interface RpnHeadOptions {
  /** C, of the levels. */
  channels: number;
  /** A, anchors of a cell. */
  anchors: number;
}

export class RpnHead {
  readonly #conv: Conv2d;
  readonly #logits: Conv2d;
  readonly #deltas: Conv2d;

  /** @param prefix of the names, e.g. `proposal_generator.rpn_head.` */
  constructor(store: ModuleStore, prefix: string, { channels, anchors }: RpnHeadOptions) {
    const declare = (name: string, outputs: number, kernel: number) =>
      new Conv2d(store, `${prefix}${name}`, {
        inputs: channels,
        outputs,
        kernel,
        bias: true,
        initial: normal(0.01),
      });
    this.#conv = declare('conv', channels, 3);
    this.#logits = declare('objectness_logits', anchors, 1);
    this.#deltas = declare('anchor_deltas', 4 * anchors, 1);
  }

  /**
   * @param level [N, H, W, C]
   * @returns logits [N, H, W, A] and deltas [N, H, W, 4 A], an anchor's four (x, y, width, height) one after the other:
   *   flattened, both are in the order of the anchors
   */
  forward(level: Tensor): { logits: Tensor; deltas: Tensor } {
    return this.#predict(this.#conv.forward(level));
  }

  /** The same at single cells. @param patches [S, 3, 3, C]  @returns logits [S, 1, 1, A] and deltas [S, 1, 1, 4 A] */
  forwardPatches(patches: Tensor): { logits: Tensor; deltas: Tensor } {
    return this.#predict(this.#conv.forwardPatches(patches));
  }

  #predict(hidden: Tensor): { logits: Tensor; deltas: Tensor } {
    const x = relu(hidden);
    return { logits: this.#logits.forward(x), deltas: this.#deltas.forward(x) };
  }
}
