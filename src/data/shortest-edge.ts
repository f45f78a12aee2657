/**
 * The size that Detectron2's ResizeShortestEdge gives an image: the shorter side `shortEdge`, unless the longer one would
 * exceed `maxSize`. Rounded half up, after both scalings; a side that would round to nothing stays one pixel, where
 * Detectron2 fails.
 *
 * @returns pixels
 */
export function shortestEdgeSize(
  width: number,
  height: number,
  shortEdge: number,
  maxSize: number,
): { width: number; height: number } {
  const scale = shortEdge / Math.min(height, width);
  let [newHeight, newWidth] = height < width ? [shortEdge, scale * width] : [scale * height, shortEdge];
  const longer = Math.max(newHeight, newWidth);
  if (longer > maxSize) {
    const reduction = maxSize / longer;
    newHeight *= reduction;
    newWidth *= reduction;
  }
  return { width: Math.max(1, Math.trunc(newWidth + 0.5)), height: Math.max(1, Math.trunc(newHeight + 0.5)) };
}
