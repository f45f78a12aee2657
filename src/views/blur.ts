/**
 * Blur as a linear map. Both of the blurs used by SCRL are separable and linear, so blurring a picture is B X B^T with a
 * side x side matrix B. B is a combination of a few fixed matrices (the basis) with coefficients drawn for each view;
 * one batched matrix product then blurs a whole batch in which every view has its own level or sigma.
 *
 * - `resized` (the reference's default): bicubic down-scale by 1.1, 1.2 or 1.5, and bicubic back.
 * - `gaussian` (BYOL): kernel radius floor(int(0.1 side) / 2), reflection at the border.
 * - `none`: for small pictures, of which either of the others leaves little.
 *
 * The result is not rounded to 8 bits between the passes, as Pillow does: a difference of at most about one level.
 */

export type BlurKind = 'resized' | 'gaussian' | 'none';

/** Down-scale factors of the resized blur, by level. */
export const RESIZED_FACTORS = [1.1, 1.2, 1.5] as const;

export interface BlurBasis {
  kind: BlurKind;
  side: number;
  /** Number of matrices. The first one is the identity: no blur. */
  count: number;
  /** [count, side, side] */
  matrices: Float32Array;
}

/** What one view's blur is: none, a level of the resized blur, or a Gaussian's sigma in pixels. */
export type BlurDraw =
  | { kind: 'none' }
  | { kind: 'resized'; level: number }
  | { kind: 'gaussian'; sigma: number };

export function blurBasis(kind: BlurKind, side: number): BlurBasis {
  const matrices =
    kind === 'none'
      ? [identity(side)]
      : kind === 'resized'
        ? [identity(side), ...RESIZED_FACTORS.map((factor) => resizedBlur(side, factor))]
        : Array.from({ length: gaussianRadius(side) + 1 }, (_, offset) => reflectedShift(side, offset));
  const out = new Float32Array(matrices.length * side * side);
  matrices.forEach((matrix, i) => {
    out.set(matrix, i * side * side);
  });
  return { kind, side, count: matrices.length, matrices: out };
}

/**
 * Writes a view's coefficients.
 *
 * @param out receives `basis.count` numbers from `offset` on
 * @throws Error when the draw is of the other kind
 */
export function blurCoefficients(basis: BlurBasis, draw: BlurDraw, out: Float32Array, offset: number): void {
  out.fill(0, offset, offset + basis.count);
  if (draw.kind === 'none') {
    out[offset] = 1;
    return;
  }
  if (draw.kind !== basis.kind) throw new Error(`a ${draw.kind} blur was drawn for a ${basis.kind} basis`);
  if (draw.kind === 'resized') {
    out[offset + 1 + draw.level] = 1;
    return;
  }
  let sum = 0;
  for (let k = 0; k < basis.count; k++) {
    const density = Math.exp(-0.5 * (k / draw.sigma) ** 2);
    out[offset + k] = density;
    sum += k === 0 ? density : 2 * density;
  }
  for (let k = 0; k < basis.count; k++) out[offset + k] /= sum;
}

function identity(side: number): Float64Array {
  const matrix = new Float64Array(side * side);
  for (let i = 0; i < side; i++) matrix[i * side + i] = 1;
  return matrix;
}

/** Kernel radius of BYOL's blur: 11 for 224 px. */
export function gaussianRadius(side: number): number {
  return Math.max(1, Math.floor(Math.trunc(0.1 * side) / 2));
}

/** Sum of the shifts by +offset and -offset (once for 0), reflecting at the border without repeating it. */
function reflectedShift(side: number, offset: number): Float64Array {
  const matrix = new Float64Array(side * side);
  for (let row = 0; row < side; row++) {
    for (const shift of offset === 0 ? [0] : [offset, -offset]) {
      let column = Math.abs(row + shift);
      if (column >= side) column = 2 * (side - 1) - column;
      matrix[row * side + column] += 1;
    }
  }
  return matrix;
}

function resizedBlur(side: number, factor: number): Float64Array {
  const small = Math.floor(side / factor);
  const down = bicubicMatrix(side, small);
  const up = bicubicMatrix(small, side);
  const matrix = new Float64Array(side * side);
  for (let row = 0; row < side; row++) {
    for (let middle = 0; middle < small; middle++) {
      const weight = up[row * small + middle];
      if (weight === 0) continue;
      for (let column = 0; column < side; column++) {
        matrix[row * side + column] += weight * down[middle * side + column];
      }
    }
  }
  return matrix;
}

/** Pillow's bicubic resampling (a = -0.5, antialiased) from `inputs` to `outputs` samples, [outputs, inputs]. */
export function bicubicMatrix(inputs: number, outputs: number): Float64Array {
  const matrix = new Float64Array(outputs * inputs);
  const scale = inputs / outputs;
  const filterScale = Math.max(scale, 1);
  const support = 2 * filterScale;
  for (let out = 0; out < outputs; out++) {
    const center = (out + 0.5) * scale;
    const first = Math.max(0, Math.trunc(center - support + 0.5));
    const last = Math.min(inputs, Math.trunc(center + support + 0.5));
    let sum = 0;
    for (let i = first; i < last; i++) {
      const weight = catmullRom((i - center + 0.5) / filterScale);
      matrix[out * inputs + i] = weight;
      sum += weight;
    }
    for (let i = first; i < last; i++) matrix[out * inputs + i] /= sum;
  }
  return matrix;
}

function catmullRom(distance: number): number {
  const x = Math.abs(distance);
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  if (x < 2) return ((-0.5 * x + 2.5) * x - 4) * x + 2;
  return 0;
}
