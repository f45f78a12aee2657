import { describe, expect, it } from 'vitest';
import { clip, iou, overlap, xywhIou } from '../../src/core/boxes.js';

// Two boxes of 4 x 2 and 2 x 4 that share 2 x 1, one apart, and one without area.
const XYWH = [0, 0, 4, 2, 2, 1, 2, 4, 10, 10, 1, 1, 1, 1, 0, 1];
const XYXY = [0, 0, 4, 2, 2, 1, 4, 5, 10, 10, 11, 11, 1, 1, 1, 2];

const rectangle = (i: number) => {
  const [left, top, right, bottom] = XYXY.slice(4 * i);
  return { left, top, right, bottom };
};

describe('IoU', () => {
  it.each([
    [0, 0, 1],
    [0, 1, 2 / 14],
    [1, 0, 2 / 14],
    [0, 2, 0],
    [0, 3, 0],
    [3, 3, 0],
  ])('of boxes %i and %i is %f in every form', (i, j, expected) => {
    expect(iou(rectangle(i), rectangle(j))).toBe(expected);
    expect(xywhIou(XYWH, i, XYWH, j, false)).toBe(expected);
  });

  it("with a crowd is the share of the detection's area", () => {
    expect(xywhIou(XYWH, 0, XYWH, 1, true)).toBe(2 / 8);
    expect(xywhIou(XYWH, 3, XYWH, 0, true)).toBe(0);
  });
});

describe('overlap', () => {
  it('is the part that two windows share, and nothing where they touch', () => {
    const window = { left: 1, top: 2, width: 10, height: 5 };
    expect(overlap(window, { left: 5, top: 0, width: 20, height: 4 })).toEqual({
      left: 5,
      top: 2,
      right: 11,
      bottom: 4,
    });
    expect(overlap(window, { ...window, left: 11 })).toBeUndefined();
    expect(overlap(window, { ...window, top: 7 })).toBeUndefined();
  });
});

describe('clip', () => {
  it('cuts at all four borders', () => {
    expect(clip({ left: -1, top: -2, right: 9, bottom: 9 }, 7, 8)).toEqual({
      left: 0,
      top: 0,
      right: 7,
      bottom: 8,
    });
  });
});
