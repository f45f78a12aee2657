/**
 * Images as the backbone wants them. Which way that is belongs to the weights (`WeightsStyle`): those of torchvision and of
 * all that is trained with it see red first and divide by deviations; the original release sees blue first and does not.
 */

import type { HostValue, InputSpec } from '../../engine/values.js';
import { sideOf } from '../../ops/shape.js';
import { FLOAT, INT, op, type Tensor, TF_UINT8, tf } from '../../ops/tf.js';
import type { WeightsStyle } from '../backbone/resnet-layers.js';
import type { ImageSize } from './postprocess.js';

/** Images of one batch, as a loader hands them over. Letters: N images, H and W their padded size, multiples of 32. */
export interface PixelBatch {
  /** [N, H, W, 3], red first */
  readonly images: Uint8Array;
  /** H */
  readonly height: number;
  /** W */
  readonly width: number;
  /** [N, 2] height and width of each image without padding */
  readonly sizes: Int32Array;
}

/** What a step is fed of images. */
export function pixelInputs(n: number): Record<string, InputSpec> {
  return {
    images: { type: 'uint8', shape: [n, -1, -1, 3] },
    sizes: { type: 'int32', shape: [n, 2] },
  };
}

/** The values of `pixelInputs`. */
export function fedPixels({ images, height, width, sizes }: PixelBatch): Record<string, HostValue> {
  return { images: { shape: [sizes.length / 2, height, width, 3], data: images }, sizes };
}

/** The size of an image without padding. */
export function sizeOf({ sizes }: PixelBatch, n: number): ImageSize {
  return { height: sizes[2 * n], width: sizes[2 * n + 1] };
}

/** Of each channel in the order that the backbone sees, for values in 0 to 255. */
const STATISTICS: Readonly<Record<WeightsStyle, { mean: number[]; deviation: number[] }>> = {
  torch: { mean: [123.675, 116.28, 103.53], deviation: [58.395, 57.12, 57.375] },
  msra: { mean: [103.53, 116.28, 123.675], deviation: [1, 1, 1] },
};

/**
 * Normalises images; what lies right of and below an image becomes 0.
 *
 * @param images [N, H, W, 3] uint8, red first; H and W may be open
 * @param sizes [N, 2] int32, height and width of each image without padding
 * @returns [N, H, W, 3] float32
 */
export function normalizedPixels(images: Tensor, sizes: Tensor, style: WeightsStyle): Tensor {
  const bytes = op('Cast', [images], { SrcT: { kind: 'type', value: TF_UINT8 }, DstT: INT });
  const ordered =
    style === 'msra' ? op('ReverseV2', [bytes, tf.tensor1d([3], 'int32')], { T: INT, Tidx: INT }) : bytes;
  const places = op('AddV2', [ordered, tf.tensor1d([0, 256, 512], 'int32')], { T: INT });
  const values = op('GatherV2', [tf.tensor1d(valueTable(style)), places, int(0)], {
    Tparams: FLOAT.T,
    Tindices: INT,
    Taxis: INT,
  });
  return op('Mul', [values, insideMask(images, sizes)], FLOAT);
}

/** What each byte of each channel becomes, [3 256]: rounded once, where two operations on float32 would do it twice. */
function valueTable(style: WeightsStyle): Float32Array {
  const { mean, deviation } = STATISTICS[style];
  return Float32Array.from({ length: 3 * 256 }, (_, i) => ((i & 255) - mean[i >> 8]) / deviation[i >> 8]);
}

/** 1 where a pixel belongs to its image, else 0: [N, H, W, 1] */
function insideMask(images: Tensor, sizes: Tensor): Tensor {
  const below = (axis: 1 | 2) => {
    const places = op('Range', [int(0), sideOf(images, axis), int(1)], { Tidx: INT });
    const limits = op('Slice', [sizes, tf.tensor1d([0, axis - 1], 'int32'), tf.tensor1d([-1, 1], 'int32')], {
      T: INT,
      Index: INT,
    });
    // [N, 1] against [side]
    return tf.cast(op('Less', [places, limits], { T: INT }), 'float32');
  };
  const rows = op('ExpandDims', [op('ExpandDims', [below(1), int(2)], DIMS), int(3)], DIMS);
  const columns = op('ExpandDims', [op('ExpandDims', [below(2), int(1)], DIMS), int(3)], DIMS);
  return op('Mul', [rows, columns], FLOAT);
}

const DIMS = { ...FLOAT, Tdim: INT } as const;

function int(value: number): Tensor {
  return tf.scalar(value, 'int32');
}
