import { normal } from '../../nn/init.js';
import { Linear } from '../../nn/layers.js';
import type { ModuleStore } from '../../nn/module-store.js';
import type { Tensor } from '../../ops/tf.js';

/** What class a region is of, and where its box would be better, for each class on its own (Girshick, 2015). */
export class BoxPredictor {
  readonly #scores: Linear;
  readonly #deltas: Linear;

  /**
   * @param prefix of the names, e.g. `roi_heads.box_predictor.`
   * @param sizes D, of a region's vector, and K, classes without background
   */
  constructor(store: ModuleStore, prefix: string, { inputs, classes }: { inputs: number; classes: number }) {
    const scores = { inputs, outputs: classes + 1, bias: true, initial: normal(0.01) };
    const deltas = { inputs, outputs: 4 * classes, bias: true, initial: normal(0.001) };
    this.#scores = new Linear(store, `${prefix}cls_score`, scores);
    this.#deltas = new Linear(store, `${prefix}bbox_pred`, deltas);
  }

  /**
   * @param regions [R, D]
   * @returns logits [R, K + 1], the background last, and deltas [R, 4 K], those of a class one after the other
   */
  forward(regions: Tensor): { logits: Tensor; deltas: Tensor } {
    return { logits: this.#scores.forward(regions), deltas: this.#deltas.forward(regions) };
  }
}
