/**
 * The k most similar rows of those offered so far: a binary heap with the least similar at its root, so that most
 * offers cost one comparison. Of equally similar rows the one with the lower index is the better one.
 */

export interface Neighbour {
  similarity: number;
  index: number;
}

export class TopK {
  readonly #similarity: Float64Array;
  readonly #index: Int32Array;
  #size = 0;

  constructor(k: number) {
    this.#similarity = new Float64Array(k);
    this.#index = new Int32Array(k);
  }

  /** Indices must be offered in ascending order. */
  offer(similarity: number, index: number): void {
    if (this.#size < this.#index.length) {
      this.#place(this.#rise(this.#size++, similarity, index), similarity, index);
    } else if (similarity > this.#similarity[0]) {
      this.#place(this.#sink(similarity, index), similarity, index);
    }
  }

  /** Best first. */
  sorted(): Neighbour[] {
    return Array.from({ length: this.#size }, (_, at) => ({
      similarity: this.#similarity[at],
      index: this.#index[at],
    })).sort((a, b) => b.similarity - a.similarity || a.index - b.index);
  }

  #place(at: number, similarity: number, index: number): void {
    this.#similarity[at] = similarity;
    this.#index[at] = index;
  }

  /** Whether the entry at `at` is a better neighbour than the given one. */
  #isBetter(at: number, similarity: number, index: number): boolean {
    const other = this.#similarity[at];
    return other > similarity || (other === similarity && this.#index[at] < index);
  }

  /** Moves parents that are better down from `at`; returns the free place. */
  #rise(at: number, similarity: number, index: number): number {
    let free = at;
    while (free > 0) {
      const parent = (free - 1) >> 1;
      if (!this.#isBetter(parent, similarity, index)) break;
      this.#place(free, this.#similarity[parent], this.#index[parent]);
      free = parent;
    }
    return free;
  }

  /** Drops the root and moves children that are worse up; returns the free place. */
  #sink(similarity: number, index: number): number {
    let free = 0;
    for (;;) {
      let child = 2 * free + 1;
      if (child >= this.#size) return free;
      const other = child + 1;
      if (other < this.#size && this.#isBetter(child, this.#similarity[other], this.#index[other]))
        child = other;
      if (this.#isBetter(child, similarity, index)) return free;
      this.#place(free, this.#similarity[child], this.#index[child]);
      free = child;
    }
  }
}
