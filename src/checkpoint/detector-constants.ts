/**
 * What files of Detectron2 say of a detector besides its weights, in the words of our own description: older versions save
 * the constants of pixels and anchors, and the zoo says who wrote a file.
 */

import { loadTensor, type TensorSource, toFloat32 } from '../core/array.js';
import { UserError } from '../core/errors.js';
import { type FileDict, float } from '../formats/value.js';
import type { WeightsStyle } from '../models/backbone/resnet-layers.js';
import { COCO_CLASSES } from './coco-classes.js';

const ZOO = 'Detectron2 Model Zoo';
const BLUE_FIRST = [103.53, 116.28, 123.675];
const CELL = /^proposal_generator\.anchor_generator\.cell_anchors\.\d$/;

/**
 * @param file all of it
 * @param tensors of the detector, by the names in the file
 * @param classes of the detector
 * @throws UserError when its pixels or anchors are of a kind that is not run here
 */
export async function detectorConstants(
  file: FileDict,
  tensors: ReadonlyMap<string, TensorSource>,
  classes: number,
  where: string,
): Promise<FileDict> {
  const found: FileDict = new Map();
  const isOfZoo = file.get('__author__') === ZOO;
  const [mean, deviation] = [tensors.get('pixel_mean'), tensors.get('pixel_std')];
  // What the zoo trained from pretrained backbones began with those of Caffe2.
  if (isOfZoo) found.set('weights_style', 'msra');
  if (mean && deviation) {
    found.set('weights_style', styleOf(await valuesOf(mean), await valuesOf(deviation), where));
  }
  const cells = [...tensors].filter(([key]) => CELL.test(key)).sort(([a], [b]) => (a < b ? -1 : 1));
  if (cells.length > 0) {
    const { sizes, ratios } = anchorsOf(await Promise.all(cells.map(([, cell]) => cellOf(cell))), where);
    found.set('anchor_sizes', sizes.map(float));
    found.set('anchor_ratios', ratios.map(float));
  }
  if (isOfZoo && classes === COCO_CLASSES.length) found.set('classes', [...COCO_CLASSES]);
  return found;
}

async function valuesOf(tensor: TensorSource): Promise<number[]> {
  return [...toFloat32(await loadTensor(tensor)).data];
}

function styleOf(mean: number[], deviation: number[], where: string): WeightsStyle {
  const isBlueFirst = mean.every((value, i) => Math.abs(value - BLUE_FIRST[i]) < 1);
  const isDivided = deviation.some((value) => value !== 1);
  if (isBlueFirst !== isDivided) return isDivided ? 'torch' : 'msra';
  const shown = (values: number[]) => values.map((value) => Number(value.toPrecision(6))).join(', ');
  throw new UserError(
    `was trained on pixels of mean ${shown(mean)} and deviation ${shown(deviation)}, which is not one of the two kinds known`,
    {
      where,
      key: 'pixel_mean',
      remedy:
        'give a detector whose pixels are BGR and not divided (msra), or RGB and divided by deviations (torch)',
    },
  );
}

/** [A] height / width, and the side of a square of the same area, of the anchors of a cell. */
async function cellOf(cell: TensorSource) {
  const edges = await valuesOf(cell);
  return Array.from({ length: edges.length / 4 }, (_, i) => {
    const [left, top, right, bottom] = edges.slice(4 * i, 4 * i + 4);
    const [width, height] = [right - left, bottom - top];
    return { ratio: rounded(height / width), size: rounded(Math.sqrt(width * height)) };
  });
}

function anchorsOf(levels: readonly { ratio: number; size: number }[][], where: string) {
  const ratios = levels[0].map(({ ratio }) => ratio);
  const isPlain = levels.every(
    (cell) =>
      cell.length === ratios.length &&
      cell.every(({ ratio, size }, i) => ratio === ratios[i] && size === cell[0].size),
  );
  if (!isPlain) {
    throw new UserError('has anchors of several sizes on a level of the pyramid', {
      where,
      key: 'proposal_generator.anchor_generator.cell_anchors',
      remedy: 'give a detector with one size a level, as the 1x and 3x configurations have',
    });
  }
  return { sizes: levels.map(([{ size }]) => size), ratios };
}

/** Edges are float32, and were computed. */
function rounded(value: number): number {
  return Number(value.toPrecision(5));
}
