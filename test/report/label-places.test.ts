import { describe, expect, it } from 'vitest';
import type { Rectangle } from '../../src/core/boxes.js';
import { RandomStream } from '../../src/core/rng.js';
import { LabelPlaces } from '../../src/report/label-places.js';

const PICTURE = { width: 200, height: 100 };
const SIZE = { width: 50, height: 10 };
const box = (left: number, top: number, right: number, bottom: number): Rectangle => ({
  left,
  top,
  right,
  bottom,
});

describe('LabelPlaces', () => {
  it('prefers the place above, moves into the picture, and goes inside where there is no above', () => {
    const places = new LabelPlaces(PICTURE, 10, []);
    expect(places.place(box(20, 30, 60, 60), SIZE, false)).toEqual(box(20, 20, 70, 30));
    expect(places.place(box(190, 30, 199, 60), SIZE, false)).toEqual(box(150, 20, 200, 30));
    expect(places.place(box(90, 2, 140, 60), SIZE, false)).toEqual(box(90, 2, 140, 12));
  });

  it('hides a small object only when it may, and no large one counts', () => {
    const small = box(20, 20, 40, 30);
    const other = box(20, 30, 35, 44);
    const places = new LabelPlaces(PICTURE, 10, [small, other, box(0, 0, 200, 100)]);
    expect(places.place(other, SIZE, false)).toEqual(box(20, 44, 70, 54));
    const tight = new LabelPlaces({ width: 50, height: 30 }, 10, [box(0, 0, 50, 12), box(0, 12, 50, 30)]);
    expect(tight.place(box(0, 12, 50, 30), SIZE, true)).toEqual(box(0, 2, 50, 12));
  });

  it('puts no label onto another, and leaves out what fits nowhere', () => {
    const random = new RandomStream(1, 'labels');
    const places = new LabelPlaces(PICTURE, 10, []);
    const placed: Rectangle[] = [];
    for (let i = 0; i < 300; i++) {
      const [left, top] = [random.between(0, 190), random.between(0, 90)];
      const label = places.place(box(left, top, left + 10, top + 10), SIZE, true);
      if (label !== undefined) placed.push(label);
    }
    expect(placed.length).toBeGreaterThan(15);
    expect(placed.length).toBeLessThan(41);
    for (const [i, a] of placed.entries()) {
      expect([a.left >= 0, a.right <= 200, a.top >= 0, a.bottom <= 100]).toEqual([true, true, true, true]);
      for (const b of placed.slice(i + 1)) {
        const apart = a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top;
        expect(apart).toBe(true);
      }
    }
  });
});
