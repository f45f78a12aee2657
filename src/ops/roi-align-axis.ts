/**
 * One axis of RoIAlign (He et al., Mask R-CNN, 2017): which cells of the map the samples of each bin touch, and with
 * which weights. Pooling is separable, so a bin's weight for a cell is the product of one number for each axis.
 *
 * The definition is torchvision's. A box is divided into P bins along the axis, a bin is sampled at equal distances,
 * samples are interpolated linearly and averaged. A sample farther than one cell before the first or behind the border
 * of the map counts as 0; nearer ones are clamped into it.
 *
 * The number of samples is a ceiling of the box's side in cells, so that side is computed in float32 as torchvision does:
 * in double precision a side of 2 cells may come out a little longer, and get three samples.
 */

export interface RoiAlignAxis {
  /** Cells per pixel of the boxes, e.g. 1/32. */
  spatialScale: number;
  /** Samples along a side of a bin; 0 or less for as many as the bin spans cells, rounded up. */
  samplingRatio: number;
  /** Shifts boxes by half a cell, so that cell k is centred on k + 0.5; otherwise boxes have at least one cell's side. */
  aligned: boolean;
}

export class AxisWeights {
  /** P */
  readonly bins: number;
  /** [P] first cell of each bin, */
  readonly first: Int32Array;
  /** [P] number of cells, 0 when all samples lie outside, */
  readonly count: Int32Array;
  /** and their weights, bin b's from `b * stride`. */
  readonly weights: Float64Array;
  readonly stride: number;

  /** @param cells the longest map that will be asked for */
  constructor(bins: number, cells: number) {
    this.bins = bins;
    this.first = new Int32Array(bins);
    this.count = new Int32Array(bins);
    this.stride = cells;
    this.weights = new Float64Array(bins * cells);
  }

  /**
   * Computes the weights of a box.
   *
   * @param low, high of the box, in pixels
   * @param cells of the map along this axis
   * @throws RangeError when the box ends before it begins
   */
  set(
    low: number,
    high: number,
    cells: number,
    { spatialScale, samplingRatio, aligned }: RoiAlignAxis,
  ): void {
    if (low > high) throw new RangeError(`RoIAlign: a box reaches from ${low} to ${high}`);
    const shift = aligned ? 0.5 : 0;
    const scale = Math.fround(spatialScale);
    const start = Math.fround(Math.fround(low * scale) - shift);
    const end = Math.fround(Math.fround(high * scale) - shift);
    const extent = Math.fround(end - start);
    const bin = Math.fround((aligned ? extent : Math.max(extent, 1)) / this.bins);
    const samples = samplingRatio > 0 ? samplingRatio : Math.ceil(bin);
    for (let b = 0; b < this.bins; b++) {
      this.first[b] = this.count[b] = 0;
      for (let k = 0; k < samples; k++) {
        this.#addSample(b, start + bin * (b + (k + 0.5) / samples), 1 / samples, cells);
      }
    }
  }

  /** Number of cells of all bins together. */
  total(): number {
    return this.count.reduce((sum, count) => sum + count, 0);
  }

  /** Adds a sample's share to the two cells between which it lies. */
  #addSample(b: number, position: number, share: number, cells: number): void {
    if (position < -1 || position > cells) return;
    const clamped = Math.min(Math.max(position, 0), cells - 1);
    const cell = Math.floor(clamped);
    const rest = clamped - cell;
    this.#addCell(b, cell, (1 - rest) * share);
    if (rest > 0) this.#addCell(b, cell + 1, rest * share);
  }

  /** The samples of a bin ascend, so a cell is one of those that the bin has, or comes after them. */
  #addCell(b: number, cell: number, weight: number): void {
    if (this.count[b] === 0) this.first[b] = cell;
    const at = cell - this.first[b];
    const from = b * this.stride;
    while (this.count[b] <= at) this.weights[from + this.count[b]++] = 0;
    this.weights[from + at] += weight;
  }
}
