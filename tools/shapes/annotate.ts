/** From what is seen of an object to COCO's annotation: box, area, polygons, and run lengths for crowds. */

import type { Scene } from './render.js';

/** Objects that show fewer pixels are not annotated. */
const FEWEST_PIXELS = 16;

export interface Annotation {
  id: number;
  image_id: number;
  category_id: number;
  /** Left, top, width, height; pixel i covers [i, i + 1). */
  bbox: [number, number, number, number];
  /** Pixels that are seen. */
  area: number;
  /** Polygons (x, y, x, y, ...), or uncompressed run lengths in column order for a crowd. */
  segmentation: number[][] | { counts: number[]; size: [height: number, width: number] };
  iscrowd: 0 | 1;
}

/** The annotations of one image. @param firstId number of the first one */
export function annotate(scene: Scene, imageId: number, firstId: number): Annotation[] {
  const annotations: Annotation[] = [];
  for (const [index, { category, crowd }] of scene.objects.entries()) {
    const mask = new Uint8Array(scene.owners.length);
    let area = 0;
    for (let i = 0; i < mask.length; i++) {
      if (scene.owners[i] !== index) continue;
      mask[i] = 1;
      area++;
    }
    if (area < FEWEST_PIXELS) continue;
    const { width, height } = scene;
    annotations.push({
      id: firstId + annotations.length,
      image_id: imageId,
      category_id: category.id,
      bbox: boundingBox(mask, width),
      area,
      segmentation: crowd
        ? { counts: runLengths(mask, width, height), size: [height, width] }
        : outlines(mask, width, height),
      iscrowd: crowd ? 1 : 0,
    });
  }
  return annotations;
}

export function boundingBox(mask: Uint8Array, width: number): [number, number, number, number] {
  let [left, top, right, bottom] = [Infinity, Infinity, -1, -1];
  for (let i = mask.indexOf(1); i >= 0; i = mask.indexOf(1, i + 1)) {
    const [x, y] = [i % width, Math.floor(i / width)];
    left = Math.min(left, x);
    right = Math.max(right, x);
    top = Math.min(top, y);
    bottom = Math.max(bottom, y);
  }
  return [left, top, right - left + 1, bottom - top + 1];
}

/** Lengths of runs in column order, outside first. */
export function runLengths(mask: Uint8Array, width: number, height: number): number[] {
  const counts = [0];
  let inside = 0;
  for (let x = 0; x < width; x++) {
    for (let y = 0; y < height; y++) {
      if (mask[y * width + x] !== inside) {
        counts.push(0);
        inside = 1 - inside;
      }
      counts[counts.length - 1]++;
    }
  }
  return counts;
}

/**
 * The outer outlines of all connected parts, along the edges of pixels: they enclose exactly the mask's pixels, and the
 * holes in it. Walks with the mask on its right, straight on where it can.
 */
export function outlines(mask: Uint8Array, width: number, height: number): number[][] {
  const at = (x: number, y: number) =>
    x < 0 || y < 0 || x >= width || y >= height ? 0 : mask[y * width + x];
  const seen = new Uint8Array((width + 1) * (height + 1));
  const polygons: number[][] = [];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      // A top edge that no outline has passed yet; those of holes have the mask above.
      if (at(x, y) === 0 || at(x, y - 1) === 1 || seen[y * (width + 1) + x] === 1) continue;
      const polygon = walk(at, x, y, (px, py) => {
        seen[py * (width + 1) + px] = 1;
      });
      if (signedArea(polygon) > 0) polygons.push(polygon);
    }
  }
  return polygons;
}

const STEPS = [
  [1, 0],
  [0, 1],
  [-1, 0],
  [0, -1],
] as const;

function walk(
  at: (x: number, y: number) => number,
  startX: number,
  startY: number,
  passTopEdge: (x: number, y: number) => void,
): number[] {
  const polygon: number[] = [];
  let [x, y, direction] = [startX, startY, 0];
  do {
    if (direction === 0) passTopEdge(x, y);
    x += STEPS[direction][0];
    y += STEPS[direction][1];
    const turned = nextDirection(at, x, y, direction);
    if (turned !== direction) polygon.push(x, y);
    direction = turned;
  } while (x !== startX || y !== startY || direction !== 0);
  return polygon;
}

/** Right, straight on or left, by the two pixels ahead of corner (x, y). Diagonal neighbours count as separate. */
function nextDirection(
  at: (x: number, y: number) => number,
  x: number,
  y: number,
  direction: number,
): number {
  const [ahead, side] = [
    [
      [x, y - 1],
      [x, y],
      [x - 1, y],
      [x - 1, y - 1],
    ][direction],
    [
      [x, y],
      [x - 1, y],
      [x - 1, y - 1],
      [x, y - 1],
    ][direction],
  ];
  if (at(side[0], side[1]) === 0) return (direction + 1) % 4;
  return at(ahead[0], ahead[1]) === 1 ? (direction + 3) % 4 : direction;
}

/** Positive for an outline that runs clockwise on the screen (y down). */
function signedArea(polygon: number[]): number {
  let sum = 0;
  for (let i = 0; i < polygon.length; i += 2) {
    const j = (i + 2) % polygon.length;
    sum += polygon[i] * polygon[j + 1] - polygon[j] * polygon[i + 1];
  }
  return sum / 2;
}
