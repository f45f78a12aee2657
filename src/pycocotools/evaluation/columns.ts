/** Annotations of a data set to columns, for one type of evaluation. */

import { UserError } from '../../core/errors.js';
import type { COCO } from '../dataset/coco.js';
import type { Annotation } from '../dataset/types.js';
import type { Rle } from '../mask/rle.js';
import type { Instances } from './instances.js';
import { BoxOverlap, KeypointOverlap, MaskOverlap, type Overlap } from './overlap.js';
import type { Params } from './params.js';

export interface Side extends Instances {
  /** The annotations behind the columns. */
  readonly annotations: readonly Annotation[];
  readonly coco: COCO;
}

/** The annotations of the parameters' images and categories. @param isResult whether they have scores */
export function columnsOf(coco: COCO, params: Params, isResult: boolean): Side {
  const images = positions(params.imgIds);
  const categories = positions(params.catIds);
  const annotations = (coco.dataset.annotations ?? []).filter(
    ({ image_id, category_id }) => images.has(image_id) && (!params.useCats || categories.has(category_id)),
  );
  const count = annotations.length;
  const side = {
    annotations,
    coco,
    count,
    image: Int32Array.from(annotations, ({ image_id }) => images.get(image_id) ?? 0),
    category: new Int32Array(count),
    id: new Float64Array(count),
    area: new Float64Array(count),
    score: new Float64Array(isResult ? count : 0),
    crowd: new Uint8Array(isResult ? 0 : count),
    ignore: new Uint8Array(isResult ? 0 : count),
  };
  annotations.forEach((annotation, i) => {
    side.category[i] = params.useCats ? (categories.get(annotation.category_id) ?? 0) : 0;
    side.id[i] = annotation.id;
    side.area[i] = finite(annotation, 'area', coco.where);
    if (isResult) side.score[i] = finite(annotation, 'score', coco.where);
    else {
      side.crowd[i] = annotation.iscrowd ? 1 : 0;
      const unlabelled = params.iouType === 'keypoints' && !annotation.num_keypoints;
      side.ignore[i] = annotation.iscrowd || unlabelled ? 1 : 0;
    }
  });
  return side;
}

export function overlapOf(dt: Side, gt: Side, { iouType, kptOksSigmas }: Params): Overlap {
  if (iouType === 'bbox') return new BoxOverlap(boxes(dt), boxes(gt), gt.crowd);
  if (iouType === 'segm') return new MaskOverlap(masks(dt), masks(gt), gt.crowd);
  const keypoints = (side: Side) => {
    for (const annotation of side.annotations) {
      const found = annotation.keypoints?.length;
      if (found !== 3 * kptOksSigmas.length) {
        throw new UserError(`annotation ${annotation.id} needs ${3 * kptOksSigmas.length} numbers`, {
          where: side.coco.where,
          key: 'keypoints',
          value: annotation.keypoints,
        });
      }
    }
    return (i: number) => side.annotations[i].keypoints ?? [];
  };
  return new KeypointOverlap(kptOksSigmas, keypoints(dt), keypoints(gt), boxes(gt), gt.area);
}

function positions(ids: readonly number[]): Map<number, number> {
  return new Map(ids.map((id, i) => [id, i]));
}

function finite(annotation: Annotation, key: 'area' | 'score', where: string): number {
  const value = annotation[key];
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw new UserError(`annotation ${annotation.id} needs a finite number`, { where, key, value });
}

function boxes({ annotations, coco }: Side): Float64Array {
  const flat = new Float64Array(4 * annotations.length);
  annotations.forEach(({ bbox, id }, i) => {
    if (bbox?.length !== 4 || !bbox.every(Number.isFinite)) {
      throw new UserError(`annotation ${id} needs [x, y, width, height]`, {
        where: coco.where,
        key: 'bbox',
        value: bbox,
      });
    }
    flat.set(bbox, 4 * i);
  });
  return flat;
}

function masks({ annotations, coco }: Side): (position: number) => Rle {
  return (i) => coco.annToRLE(annotations[i]);
}
