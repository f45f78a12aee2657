/**
 * Boxes: forms, areas, overlaps. Continuous pixels, x to the right and y down; a width is right - left, without a 1.
 *
 * One box is a `Window` (corner and size) or a `Rectangle` (two corners). COCO's are a flat array of `xywh`: left, top, width,
 * height.
 */

export interface Window {
  left: number;
  top: number;
  width: number;
  height: number;
}

export interface Rectangle {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** What two windows share; undefined when they are apart or only touch. */
export function overlap(first: Window, second: Window): Rectangle | undefined {
  const left = Math.max(first.left, second.left);
  const top = Math.max(first.top, second.top);
  const right = Math.min(first.left + first.width, second.left + second.width);
  const bottom = Math.min(first.top + first.height, second.top + second.height);
  return left < right && top < bottom ? { left, top, right, bottom } : undefined;
}

/** The part of a box that lies in [0, width] x [0, height]. */
export function clip({ left, top, right, bottom }: Rectangle, width: number, height: number): Rectangle {
  return {
    left: Math.max(left, 0),
    top: Math.max(top, 0),
    right: Math.min(right, width),
    bottom: Math.min(bottom, height),
  };
}

export function area({ left, top, right, bottom }: Rectangle): number {
  return (right - left) * (bottom - top);
}

/** Intersection over union, 0 to 1; 0 for boxes that only touch. */
export function iou(a: Rectangle, b: Rectangle): number {
  const width = Math.min(a.right, b.right) - Math.max(a.left, b.left);
  const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
  if (!(width > 0 && height > 0)) return 0;
  return iouOfAreas(width * height, area(a), area(b), false);
}

/**
 * IoU of box `d` of the detections and box `g` of the truths.
 *
 * @param detections, truths xywh
 */
export function xywhIou(
  detections: ArrayLike<number>,
  d: number,
  truths: ArrayLike<number>,
  g: number,
  crowd: boolean,
): number {
  const dx = detections[4 * d];
  const dy = detections[4 * d + 1];
  const dw = detections[4 * d + 2];
  const dh = detections[4 * d + 3];
  const gx = truths[4 * g];
  const gy = truths[4 * g + 1];
  const gw = truths[4 * g + 2];
  const gh = truths[4 * g + 3];
  const width = Math.min(dw + dx, gw + gx) - Math.max(dx, gx);
  const height = Math.min(dh + dy, gh + gy) - Math.max(dy, gy);
  if (!(width > 0 && height > 0)) return 0;
  return iouOfAreas(width * height, dw * dh, gw * gh, crowd);
}

/** @param crowd COCO's rule for crowds: the intersection over the first area, the detection's */
export function iouOfAreas(shared: number, first: number, second: number, crowd: boolean): number {
  return shared / (crowd ? first : first + second - shared);
}
