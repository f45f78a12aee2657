/**
 * Photometric augmentation of a whole batch, in the graph (SCRL's and SimCLR's chain): colour jitter, grayscale, blur,
 * solarize, normalise. The host draws the parameters (`photometric-draws.ts`); here they are applied.
 *
 * Brightness, contrast, saturation and hue come in a random order for each view. A graph has one order, so it holds
 * every place an operation can have, and the places a view does not use are given neutral parameters. Contrast needs
 * the mean of the whole picture, so it splits the chain: what comes before it, and what comes after it.
 *
 * Values are 0 to 255 in float32, clipped after each operation like 8-bit pictures but not rounded. Planes are
 * [2N, S, S], one for each of red, green and blue: element-wise work on them is contiguous.
 */

import { op, scope, type Tensor, TF_FLOAT, TF_UINT8, tf } from '../ops/tf.js';
import type { BlurBasis } from './blur.js';
import { DEVIATION, MEAN } from './normalization.js';
import { COLOUR, COLOUR_PARAMETERS } from './photometric-parameters.js';

/** ITU-R 601 luma, as Pillow's conversion to grey. */
const LUMA = [0.299, 0.587, 0.114] as const;

type Planes = readonly [red: Tensor, green: Tensor, blue: Tensor];

export interface PhotometricInputs {
  /** [2N, S, S, 3] uint8 */
  images: Tensor;
  /** [2N, COLOUR_PARAMETERS] */
  colour: Tensor;
  /** [2N, basis.count] */
  blur: Tensor;
}

/** @returns normalised views, [2N, S, S, 3] float32 */
export function augment({ images, colour, blur }: PhotometricInputs, basis: BlurBasis): Tensor {
  return scope('augment', () => {
    const parameter = parameterReader(colour);
    let planes = tf.unstack(fromBytes(images), 3) as unknown as Planes;
    planes = jitter(planes, parameter, COLOUR.before);
    planes = contrast(planes, parameter(COLOUR.contrast));
    planes = jitter(planes, parameter, COLOUR.after);
    planes = blend(planes, luma(planes), parameter(COLOUR.colourfulness));
    const stacked = blurBatch(tf.stack([...planes], 1), blur, basis);
    return normalize(solarize(stacked, parameter(COLOUR.solarize)));
  });
}

/** Views without augmentation: bytes [M, S, S, 3] to normalised float32. */
export function normalizeBytes(images: Tensor): Tensor {
  return scope('normalize', () => {
    const scale = tf.tensor1d(DEVIATION.map((deviation) => 1 / (255 * deviation)));
    const offset = tf.tensor1d(MEAN.map((mean, i) => -mean / DEVIATION[i]));
    return tf.add(tf.mul(fromBytes(images), scale), offset);
  });
}

function fromBytes(images: Tensor): Tensor {
  return op('Cast', [images], {
    SrcT: { kind: 'type', value: TF_UINT8 },
    DstT: { kind: 'type', value: TF_FLOAT },
  });
}

/** Column `index` of the parameters as [2N, 1, 1], to be broadcast over planes. */
function parameterReader(colour: Tensor): (index: number) => Tensor {
  const columns = tf.split(colour, COLOUR_PARAMETERS, 1);
  return (index) => tf.reshape(columns[index], [-1, 1, 1]);
}

function clip(x: Tensor): Tensor {
  return tf.clipByValue(x, 0, 255);
}

function luma([r, g, b]: Planes): Tensor {
  return tf.add(tf.add(tf.mul(r, LUMA[0]), tf.mul(g, LUMA[1])), tf.mul(b, LUMA[2]));
}

/** factor * plane + (1 - factor) * other, clipped. */
function blend(planes: Planes, other: Tensor, factor: Tensor): Planes {
  const rest = tf.mul(other, tf.sub(1, factor));
  return mapPlanes(planes, (plane) => clip(tf.add(tf.mul(plane, factor), rest)));
}

function mapPlanes([r, g, b]: Planes, change: (plane: Tensor, channel: number) => Tensor): Planes {
  return [change(r, 0), change(g, 1), change(b, 2)];
}

/** Brightness, saturation and hue in any order: see `photometric-parameters.ts` for the places. */
function jitter(planes: Planes, parameter: (index: number) => Tensor, start: number): Planes {
  const segment = (planes: Planes, first: number) => {
    const brightened = mapPlanes(planes, (plane) => clip(tf.mul(plane, parameter(first))));
    const saturated = blend(brightened, luma(brightened), parameter(first + 1));
    return mapPlanes(saturated, (plane) => clip(tf.mul(plane, parameter(first + 2))));
  };
  return segment(shiftHue(segment(planes, start), parameter(start + 3)), start + 4);
}

function contrast(planes: Planes, factor: Tensor): Planes {
  return blend(planes, tf.mean(luma(planes), [1, 2], true), factor);
}

/** Moves the hue by `turns` of the colour circle; value and chroma stay. Hues are counted in sixths of the circle. */
function shiftHue([r, g, b]: Planes, turns: Tensor): Planes {
  const value = tf.maximum(tf.maximum(r, g), b);
  const chroma = tf.sub(value, tf.minimum(tf.minimum(r, g), b));
  // Grey has no hue: with a chroma of 0 the hue below does not matter, but it must be finite.
  const inverse = tf.div(1, tf.maximum(chroma, 1e-3));
  const fromRed = tf.mul(tf.sub(g, b), inverse);
  const fromGreen = tf.add(tf.mul(tf.sub(b, r), inverse), 2);
  const fromBlue = tf.add(tf.mul(tf.sub(r, g), inverse), 4);
  const hue = tf.where(tf.equal(value, r), fromRed, tf.where(tf.equal(value, g), fromGreen, fromBlue));
  const shifted = tf.add(hue, tf.mul(turns, 6));
  // A channel falls from the value by up to the chroma, depending on the distance from its own hue.
  const channel = (own: number) => {
    const turned = tf.add(shifted, own);
    const position = tf.sub(turned, tf.mul(tf.floor(tf.mul(turned, 1 / 6)), 6));
    const fall = tf.clipByValue(tf.minimum(position, tf.sub(4, position)), 0, 1);
    return tf.sub(value, tf.mul(chroma, fall));
  };
  return [channel(5), channel(3), channel(1)];
}

/** @param x [2N, 3, S, S] */
function blurBatch(x: Tensor, coefficients: Tensor, { side, count, matrices }: BlurBasis): Tensor {
  const basis = tf.tensor2d(matrices, [count, side * side]);
  const blur = tf.reshape(tf.matMul(coefficients, basis), [-1, 1, side, side]);
  const product = (a: Tensor, b: Tensor, transpose: boolean) =>
    op('BatchMatMulV2', [a, b], {
      T: { kind: 'type', value: TF_FLOAT },
      adj_x: { kind: 'bool', value: false },
      adj_y: { kind: 'bool', value: transpose },
    });
  return clip(product(product(blur, x, false), blur, true));
}

/** Values from 128 on are inverted where `on` is 1. A value is what it would round to. */
function solarize(x: Tensor, on: Tensor): Tensor {
  const bright = tf.mul(tf.cast(tf.greaterEqual(x, 127.5), 'float32'), tf.expandDims(on, 1));
  return tf.add(x, tf.mul(bright, tf.sub(255, tf.mul(x, 2))));
}

/** [2N, 3, S, S] to normalised [2N, S, S, 3]. */
function normalize(x: Tensor): Tensor {
  const scale = tf.tensor4d([...DEVIATION.map((deviation) => 1 / (255 * deviation))], [1, 3, 1, 1]);
  const offset = tf.tensor4d([...MEAN.map((mean, i) => -mean / DEVIATION[i])], [1, 3, 1, 1]);
  return tf.transpose(tf.add(tf.mul(x, scale), offset), [0, 2, 3, 1]);
}
