/**
 * Which boxes an object overlaps, and by how much, in float32 with every operation rounded: with many anchors an object's
 * best IoU is shared by some of them, all of these become positive, and which they are is decided by rounding. Double
 * precision finds others for small objects.
 */

/** Objects against candidates (anchors or proposals). Candidates that are left out of a row have an IoU of 0. */
export interface Overlaps {
  readonly objects: number;
  readonly candidates: number;
  /**
   * One object's row. Candidates come in any order, each once.
   *
   * @param indices, ious receive the candidates and their IoU; as long as there are candidates
   * @returns how many were written
   */
  row(object: number, indices: Int32Array, ious: Float32Array): number;
}

/** @throws RangeError when an object is not finite */
export function checkObjects(objects: Float32Array): void {
  const at = objects.findIndex((edge) => !Number.isFinite(edge));
  if (at >= 0) throw new RangeError(`box of object ${at >> 2} has an edge of ${objects[at]}`);
}

/** Area of box `i` of a flat array [n, 4], float32. */
export function area32(boxes: Float32Array, i: number): number {
  const at = 4 * i;
  return Math.fround(Math.fround(boxes[at + 2] - boxes[at]) * Math.fround(boxes[at + 3] - boxes[at + 1]));
}

/** How far two intervals overlap, float32; 0 when they are apart. */
export function overlap32(low: number, high: number, otherLow: number, otherHigh: number): number {
  return Math.max(0, Math.fround(Math.min(high, otherHigh) - Math.max(low, otherLow)));
}

/** IoU, float32. @param shared area, above 0  @param first, second areas */
export function iou32(shared: number, first: number, second: number): number {
  return Math.fround(shared / Math.fround(Math.fround(first + second) - shared));
}

/**
 * Every object against every box: for some thousand boxes.
 *
 * @param objects [G, 4]
 * @param boxes [N, 4]
 * @throws RangeError when an object is not finite
 */
export function boxOverlaps(objects: Float32Array, boxes: Float32Array): Overlaps {
  checkObjects(objects);
  const candidates = boxes.length / 4;
  const areas = Float32Array.from({ length: candidates }, (_, i) => area32(boxes, i));
  return {
    objects: objects.length / 4,
    candidates,
    row(object, indices, ious) {
      const [left, top, right, bottom] = objects.subarray(4 * object, 4 * object + 4);
      const area = area32(objects, object);
      let count = 0;
      for (let i = 0; i < candidates; i++) {
        const width = overlap32(left, right, boxes[4 * i], boxes[4 * i + 2]);
        const height = overlap32(top, bottom, boxes[4 * i + 1], boxes[4 * i + 3]);
        const shared = Math.fround(width * height);
        if (shared === 0) continue;
        indices[count] = i;
        ious[count++] = iou32(shared, area, areas[i]);
      }
      return count;
    },
  };
}
