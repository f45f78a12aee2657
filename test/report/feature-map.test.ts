import { describe, expect, it } from 'vitest';
import { Canvas } from '../../src/report/canvas.js';
import {
  cellCentre,
  colourPicture,
  enlargeMap,
  heatPicture,
  sampleMap,
  stretch,
} from '../../src/report/feature-map.js';

describe('cells', () => {
  // Two channels: column, and 10 * row.
  const map = [0, 0, 1, 0, 2, 0, 0, 10, 1, 10, 2, 10, 0, 20, 1, 20, 2, 20];

  it('are centred on multiples of the stride', () => {
    const large = enlargeMap(map, 2, 4, 12);
    const at = (x: number, y: number) => [...large.subarray((y * 12 + x) * 2, (y * 12 + x) * 2 + 2)];
    expect([at(0, 0), at(4, 0), at(8, 4), at(4, 8)]).toEqual([
      [0, 0],
      [1, 0],
      [2, 10],
      [1, 20],
    ]);
    expect(at(2, 1)).toEqual([0.5, 2.5]);
    // Nothing is beyond the last cell.
    expect(at(11, 11)).toEqual([2, 20]);
    expect(cellCentre(5, 3, 4)).toEqual([8.5, 4.5]);
  });

  it('are sampled where they are enlarged to', () => {
    for (const cell of [0, 4, 7]) {
      expect([...sampleMap(map, 2, 4, cellCentre(cell, 3, 4))]).toEqual(map.slice(2 * cell, 2 * cell + 2));
    }
    expect([...sampleMap(map, 2, 4, [3.5, 6.5])]).toEqual([0.75, 15]);
    expect([...sampleMap([7], 1, 32, [20, 3])]).toEqual([7]);
  });
});

it('stretch cuts off outliers, channel by channel', () => {
  // 0 to 100 with two outliers beyond; the other channel is constant.
  const values = Array.from({ length: 101 }, (_, i) => [i === 0 ? -999 : i === 100 ? 999 : i, 5]).flat();
  const out = stretch(values, 2, 10, 90);
  const first = out.filter((_, i) => i % 2 === 0);
  expect([first[0], first[10], first[50], first[90], first[100]]).toEqual([0, 0, 0.5, 1, 1]);
  expect(first[30]).toBeCloseTo(0.25, 6);
  expect(new Set(out.filter((_, i) => i % 2 === 1))).toEqual(new Set([0.5]));
});

it('colours are bytes; heat is brighter where it is higher, over the picture in grey', () => {
  expect([...colourPicture(Float32Array.of(0, 0.5, 1), 1).data]).toEqual([0, 128, 255]);
  const white = { data: new Uint8Array(9).fill(255), width: 3, height: 1 };
  const heat = heatPicture(Float32Array.of(0, 0.5, 1), white, 1).data;
  const brightness = [0, 1, 2].map((i) => heat[3 * i] + heat[3 * i + 1] + heat[3 * i + 2]);
  expect(brightness).toEqual([...brightness].sort((a, b) => a - b));
  const green = { data: Uint8Array.of(0, 255, 0), width: 1, height: 1 };
  const [r, g, b] = heatPicture(Float32Array.of(0.3), green, 0).data;
  expect([r, g, b]).toEqual([150, 150, 150]);
});

it('a cross and a ring are where they should be, and stay inside', () => {
  const canvas = new Canvas(60, 60);
  const at = (x: number, y: number) => [...canvas.data.subarray((y * 60 + x) * 3, (y * 60 + x) * 3 + 3)];
  canvas.cross([20, 30], [255, 0, 0], 5);
  expect([at(20, 30), at(16, 30), at(20, 26)]).toEqual(Array(3).fill([255, 0, 0]));
  expect([at(16, 26), at(27, 30)]).toEqual(Array(2).fill([255, 255, 255]));
  expect(at(20, 23)).toEqual([0, 0, 0]);
  canvas.ring([45, 30], [0, 0, 255], 8);
  expect([at(45, 22), at(53, 30), at(45, 30)]).toEqual([
    [0, 0, 255],
    [0, 0, 255],
    [255, 255, 255],
  ]);
  expect(() => canvas.ring([0, 59], [0, 0, 255])).not.toThrow();
});
