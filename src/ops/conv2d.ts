/**
 * 2-d convolution with explicit, symmetric zero padding, as PyTorch pads. TensorFlow's "same" pads a stride-2
 * convolution of an even-sized map on the right and bottom only, with which weights from PyTorch would be silently wrong.
 */

import { pointwiseConv } from './pointwise-conv.js';
import { recomputed } from './recompute.js';
import { rightWhenEmpty, shapeOf } from './shape.js';
import {
  expectShape,
  FLOAT,
  INT,
  op,
  operation,
  producer,
  scopePath,
  type Tensor,
  tf,
  toTensor,
  withGradient,
} from './tf.js';

/**
 * @param x [N, H, W, I] float32; N, H and W may be open
 * @param filter [kh, kw, I, O]
 * @param padding zeros added on each side of both spatial axes
 * @returns [N, (H + 2 padding - kh) / stride + 1, ..., O]
 * @throws Error when the shapes do not fit
 */
export function conv2d(x: Tensor, filter: Tensor, stride: number, padding: number): Tensor {
  const [kh, kw, channels] = filter.shape;
  expectShape('the input of conv2d', x, ['N', 'H', 'W', channels]);
  const [, h, w] = x.shape;
  const isTooSmall = (side: number, kernel: number) => side >= 0 && side + 2 * padding < kernel;
  if (isTooSmall(h, kh) || isTooSmall(w, kw)) {
    throw new Error(
      `${scopePath()}: the input of conv2d is ${h} x ${w}, too small for a ${kh} x ${kw} filter with padding ${padding}`,
    );
  }
  if (x.shape[0] === -1 && h >= 0 && w >= 0 && kh * kw * stride === 1 && padding === 0) {
    return pointwiseConv(x, filter);
  }
  const attributes = {
    ...FLOAT,
    strides: { kind: 'ints', value: [1, stride, stride, 1] },
    data_format: { kind: 'string', value: 'NHWC' },
  } as const;
  // TensorFlow's fast backward kernels know "same" and "valid" only. Where "same" means the symmetric padding asked for,
  // it is used; elsewhere the backward pass works on a padded copy of the input.
  const same = stride === 1 && kh === 2 * padding + 1 && kw === kh;
  return withGradient([x, filter], () => ({
    value: rightWhenEmpty(
      op('Conv2D', [x, filter], { ...attributes, ...(same ? SAME : paddingAttributes(padding)) }),
      x,
    ),
    saved: [x, filter],
    gradient: (dy, [kept, filter]) => {
      const x = recomputed(kept, dy);
      const border = same ? 0 : padding;
      const padded = border === 0 ? x : padAfter(dy, x, border);
      const kind = { ...attributes, ...(same ? SAME : paddingAttributes(0)) };
      const dPadded = op('Conv2DBackpropInput', [shapeOf(padded), filter, dy], kind);
      const dFilter = op('Conv2DBackpropFilter', [padded, tf.tensor1d(filter.shape, 'int32'), dy], kind);
      return [padded === x ? dPadded : sliceAt(dPadded, border, x), dFilter];
    },
  }));
}

/** Zeros around both spatial axes, but not before `dy` is known: the copy would wait in memory for the backward pass. */
function padAfter(dy: Tensor, x: Tensor, border: number): Tensor {
  const paddings = tf.tensor2d([0, 0, border, border, border, border, 0, 0], [4, 2], 'int32');
  const attributes = { ...FLOAT, Tpaddings: INT } as const;
  return toTensor(operation('Pad', [x, paddings], attributes, [producer(dy)]).outputs[0]);
}

/** The part of a padded map that has the shape of `x`. */
function sliceAt(padded: Tensor, border: number, x: Tensor): Tensor {
  const begin = tf.tensor1d([0, border, border, 0], 'int32');
  return op('Slice', [padded, begin, shapeOf(x)], { ...FLOAT, Index: INT });
}

const SAME = { padding: { kind: 'string', value: 'SAME' } } as const;

/** `VALID` where nothing is padded: TensorFlow's fastest kernels ask for it. */
export function paddingAttributes(padding: number) {
  if (padding === 0) return { padding: { kind: 'string', value: 'VALID' } } as const;
  return {
    padding: { kind: 'string', value: 'EXPLICIT' },
    explicit_paddings: { kind: 'ints', value: [0, 0, padding, padding, padding, padding, 0, 0] },
  } as const;
}
