/** Top-1 and top-5 accuracy of logits. */

export interface Accuracy {
  /** Percent. */
  readonly top1: number;
  readonly top5: number;
  /** Images that were counted. */
  readonly images: number;
}

/** Adds up batch by batch; the order of the images and the size of the batches do not matter. */
export class AccuracyCounter {
  #top1 = 0;
  #top5 = 0;
  #images = 0;

  /**
   * Of equal logits the class with the lower number counts as the larger one.
   *
   * @param logits [>= N, classes]
   * @param labels [N]; images with a negative label are not counted
   */
  add(logits: Float32Array, labels: ArrayLike<number>, classes: number): void {
    for (let i = 0; i < labels.length; i++) {
      if (labels[i] < 0) continue;
      const rank = rankOf(logits, i * classes, classes, labels[i]);
      this.#images++;
      if (rank < 1) this.#top1++;
      if (rank < 5) this.#top5++;
    }
  }

  /** NaN without images. */
  get accuracy(): Accuracy {
    const percent = (count: number) => (100 * count) / this.#images;
    return { top1: percent(this.#top1), top5: percent(this.#top5), images: this.#images };
  }
}

/** How many classes come before this one; a logit that is not a number comes last. */
function rankOf(logits: Float32Array, start: number, classes: number, label: number): number {
  const own = logits[start + label];
  if (Number.isNaN(own)) return Number.POSITIVE_INFINITY;
  let rank = 0;
  for (let c = 0; c < classes; c++) {
    const other = logits[start + c];
    if (other > own || (other === own && c < label)) rank++;
  }
  return rank;
}
