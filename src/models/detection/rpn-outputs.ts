/** What the region proposal network says about all anchors, and the best of each level, which is what the host looks at. */

import type { ShapedArray } from '../../engine/values.js';
import { concat } from '../../ops/concat.js';
import { reshape } from '../../ops/reshape.js';
import type { Tensor } from '../../ops/tf.js';
import { takeAlong, topK } from '../../ops/top-k.js';
import type { PyramidMaps } from '../neck/fpn.js';
import type { AnchorGrid } from './anchors.js';
import { ANCHOR_WEIGHTS, decodeBoxes } from './box-coder.js';
import type { Candidates } from './proposals.js';
import type { RpnHead } from './rpn-head.js';

/** Letters: N images, A anchors of an image in the order of `AnchorGrid`. */
export interface RpnOutputs {
  /** [N, A] */
  logits: Tensor;
  /** [N, A, 4] */
  deltas: Tensor;
  /** See `candidatesOf`. */
  candidates: Record<'places' | 'logits' | 'deltas', Tensor>;
}

/** @param perLevel how many of a level the host looks at */
export function rpnOutputs(head: RpnHead, maps: PyramidMaps, perLevel: number): RpnOutputs {
  const levels = Object.values<Tensor>(maps).map((map) => {
    const images = map.shape[0] as number;
    const { logits, deltas } = head.forward(map);
    return { logits: reshape(logits, [images, -1]), deltas: reshape(deltas, [images, -1, 4]) };
  });
  const best = levels.map(({ logits, deltas }) => {
    const { values, indices } = topK(logits, perLevel);
    return { places: indices, logits: values, deltas: takeAlong(deltas, indices) };
  });
  return {
    logits: concat(
      levels.map(({ logits }) => logits),
      1,
    ),
    deltas: concat(
      levels.map(({ deltas }) => deltas),
      1,
    ),
    candidates: {
      places: concat(
        best.map(({ places }) => places),
        1,
      ),
      logits: concat(
        best.map(({ logits }) => logits),
        1,
      ),
      deltas: concat(
        best.map(({ deltas }) => deltas),
        1,
      ),
    },
  };
}

/**
 * The candidates of one image, their boxes decoded.
 *
 * @param question `places` [N, P] within a level, `logits` [N, P] and `deltas` [N, P, 4], levels one after the other
 * @param perLevel as the graph was traced with
 */
export function candidatesOf(
  question: Readonly<Record<string, ShapedArray>>,
  image: number,
  grid: AnchorGrid,
  perLevel: number,
): Candidates {
  const count = question.places.shape[1] as number;
  const rows = ({ data }: ShapedArray, width: number) =>
    (data as Float32Array).subarray(image * count * width, (image + 1) * count * width);
  const ids = Int32Array.from(rows(question.places, 1));
  const counts = grid.levels.map(({ height, width }) => Math.min(perLevel, height * width * grid.kinds));
  let at = 0;
  for (const [level, size] of counts.entries()) {
    for (const end = at + size; at < end; at++) ids[at] += grid.levels[level].start;
  }
  return {
    ids,
    boxes: decodeBoxes(grid.boxesOf(ids), rows(question.deltas, 4), ANCHOR_WEIGHTS),
    logits: rows(question.logits, 1),
    perLevel: counts,
  };
}
