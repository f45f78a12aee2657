/** The boxes that the region proposal network likes best, on their way to the host. */

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

/**
 * The best of each level, see `candidatesOf`: constants, no gradient reaches the head through them.
 *
 * @param perLevel how many of a level the host looks at
 */
export function rpnCandidates(
  head: RpnHead,
  maps: PyramidMaps,
  perLevel: number,
): Record<'places' | 'logits' | 'deltas', Tensor> {
  const best = Object.values<Tensor>(maps).map((map) => {
    const images = map.shape[0] as number;
    const { logits, deltas } = head.forward(map);
    const { values, indices } = topK(reshape(logits, [images, -1]), perLevel);
    return { places: indices, logits: values, deltas: takeAlong(reshape(deltas, [images, -1, 4]), indices) };
  });
  const joined = (part: keyof (typeof best)[number]) =>
    concat(
      best.map((level) => level[part]),
      1,
    );
  return { places: joined('places'), logits: joined('logits'), deltas: joined('deltas') };
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
