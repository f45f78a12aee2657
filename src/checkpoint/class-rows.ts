/**
 * The class layers of detectors: which row is which class.
 *
 * Detectron2 and mmdetection count the classes from 0 and put the background last; torchvision puts it first and, for COCO,
 * keeps COCO's category ids 1 to 90 with their ten gaps. Rows are reordered, never invented: those of torchvision's
 * background box and background mask, which nobody reads, are zeros when they have to be there and are left out otherwise.
 */

import { bytesOf, elementSize, loadTensor, type TensorSource, tensorFromBytes } from '../core/array.js';
import { UserError } from '../core/errors.js';
import { BOX_DELTAS, CLASS_SCORES, type DetectorName, MASK_LOGITS } from './names/detector.js';

/** COCO's ids without a category. */
const GAPS = [12, 26, 29, 30, 45, 66, 68, 69, 71, 83];
const COCO_IDS = Array.from({ length: 90 }, (_, i) => i + 1).filter((id) => !GAPS.includes(id));

/** Classes without background behind `rows` rows of class scores. */
export function classCount(detector: DetectorName, rows: number): number {
  return detector === 'torchvision' && rows === COCO_IDS.length + GAPS.length + 1
    ? COCO_IDS.length
    : rows - 1;
}

/**
 * A tensor of a class layer in the order of Detectron2; any other as it is.
 *
 * @param key in Detectron2's spelling
 * @param rows of the class scores in the file
 */
export function fromClassOrder(
  detector: DetectorName,
  key: string,
  source: TensorSource,
  rows: number,
): TensorSource {
  const layer = layerOf(key);
  if (detector !== 'torchvision' || layer === undefined) return source;
  const classes = classCount(detector, rows);
  const ids = classes === COCO_IDS.length && rows > classes + 1 ? COCO_IDS : range(1, classes + 1);
  if (layer === CLASS_SCORES) return takeRows(source, [...ids, 0]);
  return takeRows(source, layer === BOX_DELTAS ? ids.flatMap(boxRows) : ids);
}

/** The reverse, for a detector with as many classes and no gaps. @throws UserError for deltas that all classes share */
export function toClassOrder(
  detector: DetectorName,
  key: string,
  source: TensorSource,
  classes: number,
): TensorSource {
  const layer = layerOf(key);
  if (detector !== 'torchvision' || layer === undefined) return source;
  const all = range(0, classes);
  if (layer === CLASS_SCORES) return takeRows(source, [classes, ...all]);
  if (layer === MASK_LOGITS) return takeRows(source, [undefined, ...all]);
  if (source.shape[0] !== 4 * classes) {
    throw new UserError('torchvision has no box deltas that all classes share', { key });
  }
  return takeRows(source, [...boxRows(0).map(() => undefined), ...all.flatMap(boxRows)]);
}

function layerOf(key: string): string | undefined {
  return [CLASS_SCORES, BOX_DELTAS, MASK_LOGITS].find((layer) => key.startsWith(`${layer}.`));
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}

const boxRows = (index: number): number[] => [0, 1, 2, 3].map((i) => 4 * index + i);

/** Rows of the first axis in another order; undefined stands for a row of zeros. */
function takeRows(source: TensorSource, rows: readonly (number | undefined)[]): TensorSource {
  const { dtype } = source;
  const shape = [rows.length, ...source.shape.slice(1)];
  return {
    dtype,
    shape,
    async load() {
      const from = bytesOf(await loadTensor(source));
      const width = source.shape.slice(1).reduce((product, side) => product * side, elementSize(dtype));
      const bytes = new Uint8Array(rows.length * width);
      rows.forEach((row, i) => {
        if (row !== undefined) bytes.set(from.subarray(row * width, (row + 1) * width), i * width);
      });
      return tensorFromBytes(dtype, shape, bytes);
    },
  };
}
