/** Masks: the vectors of pycocotools, computed with version 2.0.11. */

import { describe, expect, it } from 'vitest';
import { mask } from '../../src/pycocotools/index.js';
import { boundaryOf } from '../../src/pycocotools/mask/boundary.js';
import { runIou } from '../../src/pycocotools/mask/iou.js';
import { decode as decodeRuns, encode as encodeRuns } from '../../src/pycocotools/mask/rle.js';

/** Rows of characters to a dense, column-major mask: anything but a dot is one. */
function dense(rows: readonly string[]) {
  const [height, width] = [rows.length, rows[0].length];
  const data = new Uint8Array(height * width);
  rows.forEach((row, y) => {
    for (let x = 0; x < width; x++) data[x * height + y] = row[x] === '.' ? 0 : 1;
  });
  return { height, width, data };
}

const STRINGS: [counts: number[], text: string][] = [
  [[36], 'T1'],
  [[0, 36], '0T1'],
  [[6, 1, 40, 4, 5, 4, 5, 4, 21], '61X13mN000`0'],
  [[15, 1, 16], '?1`0'],
  [[31, 2, 31], 'o02o0'],
  [[16, 16, 0], '`0`00'],
  [[0, 1, 1, 1, 1, 1, 1, 1, 1], '011000000'],
  [[5, 3, 700, 3, 100, 3, 86], '53le00X]O0B'],
  [[1_000_000], 'Pb`n0'],
  [[0, 5, 5, 5, 5, 2, 3, 5, 2, 3, 5, 2, 3, 55], '05500MN3ON3ONe1'],
];

describe('compressed strings', () => {
  it.each(STRINGS)('%j is %s', (counts, text) => {
    expect(mask.countsToString(counts)).toBe(text);
    expect([...mask.stringToCounts(text)]).toEqual(counts);
    expect([...mask.stringToCounts(Buffer.from(text))]).toEqual(counts);
  });

  it.each([
    ['P', 'it ends within a number at character 1'],
    ['1 2', 'unexpected byte 32 at character 1'],
    ['pp', 'unexpected byte 112 at character 0'],
    ['PPPPPPPPPP', 'a number of more than 32 bits'],
    ['O', 'a run of negative length'],
  ])('%j is refused', (text, problem) => {
    expect(() => mask.stringToCounts(text)).toThrow(problem);
  });

  it('has room for runs of up to 2^31 - 1 pixels, and says so', () => {
    const counts = [2 ** 31 - 1, 0, 5, 2 ** 31 - 1];
    expect([...mask.stringToCounts(mask.countsToString(counts))]).toEqual(counts);
    expect(() => mask.countsToString([2 ** 31])).toThrow('run 0 has 2147483648 pixels');
  });
});

describe('masks', () => {
  it('are encoded column by column, and decoded again', () => {
    const pixels = dense(['......', '..ooo.', '..ooo.', '......']);
    const coded = mask.encode(pixels);
    expect(coded).toEqual({ size: [4, 6], counts: '9220003' });
    expect(mask.area(coded)).toBe(6);
    expect(mask.toBbox(coded)).toEqual([2, 1, 3, 2]);
    expect(mask.decode(coded)).toEqual(pixels);
  });

  it('have tight boxes', () => {
    expect(mask.toBbox(mask.encode(dense(['.o', 'oo'])))).toEqual([0, 0, 2, 2]);
    expect(mask.toBbox({ size: [10, 10], counts: [32, 2, 8, 2, 8, 2, 46] })).toEqual([3, 2, 3, 2]);
    expect(mask.toBbox({ size: [5, 5], counts: [25] })).toEqual([0, 0, 0, 0]);
    // Where pycocotools wraps around: ones that are no pixels.
    expect(mask.toBbox({ size: [5, 5], counts: [5, 0, 20] })).toEqual([0, 0, 0, 0]);
    // A run over several columns reaches from top to bottom.
    expect(mask.toBbox({ size: [4, 4], counts: [3, 2, 11] })).toEqual([0, 0, 2, 4]);
  });

  it('with runs beyond their size are refused when decoded', () => {
    expect(() => mask.decode({ size: [2, 2], counts: [1, 4] })).toThrow('more than the 4 pixels of 2 x 2');
  });

  it('with runs that end early are empty from there on', () => {
    const short = { size: [3, 3], counts: [0, 2] } as const;
    expect([...mask.decode(short).data]).toEqual([1, 1, 0, 0, 0, 0, 0, 0, 0]);
    const whole = { size: [3, 3], counts: [0, 9] } as const;
    expect(mask.iou([short], [whole], [0])).toEqual([[2 / 9]]);
    expect(mask.area(mask.merge([short, whole]))).toBe(9);
    expect(mask.area(mask.merge([short, whole], true))).toBe(2);
  });

  it('unite and intersect', () => {
    const [a, b] = [dense(['oo..', 'oo..']), dense(['.oo.', '....'])].map(mask.encode);
    expect(mask.decode(mask.merge([a, b])).data).toEqual(dense(['ooo.', 'oo..']).data);
    expect(mask.decode(mask.merge([a, b], true)).data).toEqual(dense(['.o..', '....']).data);
    expect(mask.merge([])).toEqual({ size: [0, 0], counts: '' });
    expect(mask.merge([a])).toEqual(a);
    expect(mask.merge([a, { size: [9, 9], counts: [81] }]).size).toEqual([0, 0]);
  });
});

const POLYGONS: [polygons: number[][], size: [number, number], text: string, area: number, box: number[]][] =
  [
    [[[1, 1, 4, 1, 4, 4, 1, 4]], [6, 6], '733000;', 9, [1, 1, 3, 3]],
    [[[1.5, 1.5, 4.5, 1.5, 4.5, 4.5, 1.5, 4.5]], [6, 6], '>330004', 9, [2, 2, 3, 3]],
    [[[0, 0, 8, 0, 0, 8]], [9, 9], '072O1O1O1O1O1Oc0', 28, [0, 0, 7, 7]],
    [[[-3, -3, 3, -3, 3, 3, -3, 3]], [6, 6], '033000b0', 9, [0, 0, 3, 3]],
    [[[3, 3, 20, 3, 20, 20, 3, 20]], [6, 6], 'e033000', 9, [3, 3, 3, 3]],
    [[[1, 1, 5, 5, 1, 1]], [6, 6], 'T1', 0, [0, 0, 0, 0]],
    [[[0, 0, 10, 0, 10, 10, 5, 5, 0, 10]], [10, 10], '091O1O1O1O1001O1O1O1O', 70, [0, 0, 10, 9]],
    [[[0, 0, 8, 8, 8, 0, 0, 8]], [8, 8], '072N2N2N10O2N2N2O', 32, [0, 0, 8, 7]],
    [
      [
        [0, 0, 3, 0, 3, 3, 0, 3],
        [5, 5, 8, 5, 8, 8, 5, 8],
      ],
      [10, 10],
      '037000i00WO000?',
      18,
      [0, 0, 8, 8],
    ],
    [
      [[10.3, 20.7, 45.9, 18.2, 50.1, 60.6, 12.4, 58.8]],
      [80, 64],
      'ei02^2c0]Oa0_O0O100000000000000000000000001N100000000000000000000000000O10000005K:F:G9F[Q1',
      1478,
      [10, 18, 40, 43],
    ],
  ];

describe('polygons and boxes', () => {
  it.each(POLYGONS)('%j in %j', (polygons, [height, width], text, area, box) => {
    const filled = mask.merge(mask.fromPolygons(polygons, height, width));
    expect(filled.counts).toBe(text);
    expect(mask.area(filled)).toBe(area);
    expect(mask.toBbox(filled)).toEqual(box);
  });

  it.each([
    [[2, 3, 4, 5], 'k05700000U2', 20],
    [[2.4, 3.6, 4.2, 5.1], 'l0570000000h1', 25],
    [[0, 0, 0, 5], '`4', 0],
  ] as const)('box %j', (box, text, area) => {
    const [filled] = mask.fromBoxes([box], 12, 12);
    expect(filled.counts).toBe(text);
    expect(mask.area(filled)).toBe(area);
    expect(mask.frPyObjects([box], 12, 12)).toEqual([filled]);
  });

  it.each([
    [[3, 5, 4, 1], 'Q21c000000o7'],
    [[5, 3, 3, 5], 'W35?000]7'],
    [[8, 5, 8, 5], 'U55?0000000000000[2'],
  ] as const)('box %j in 20 x 20', (box, text) => {
    expect(mask.fromBoxes([box], 20, 20)[0].counts).toBe(text);
  });

  it('a polygon with corners that stand twice', () => {
    const polygon = [7, 8, 9, 3, 7, 1, 5, 1, 5, 8, 3, 4, 4, 7, 7, 8];
    expect(mask.fromPolygons([polygon], 20, 20)[0].counts).toBe('U36>1OO2Lm6');
  });

  it.each([
    [[1, 1, 2, 2], 'at least three points'],
    [[1, 1, 2, 2, 3, 3, 4], 'pairs of coordinates'],
    [[1, 1, Number.NaN, 2, 3, 3], 'coordinate 2 of the polygon is NaN'],
    [[1, 1, 1e9, 2, 3, 3], 'expected a number from -1e8 to 1e8'],
  ])('%j is no polygon', (polygon, problem) => {
    expect(() => mask.fromPolygons([polygon], 9, 9)).toThrow(problem);
  });

  it('take what pycocotools takes, by its kind', () => {
    const runs = { size: [2, 2], counts: [1, 3] } as const;
    expect(mask.frPyObjects(runs, 2, 2)).toEqual([{ size: [2, 2], counts: '13' }]);
    expect(mask.frPyObjects([[1, 1, 4, 1, 4, 4, 1, 4]], 6, 6)[0].counts).toBe('733000;');
  });
});

describe('IoU', () => {
  it('of boxes; with a crowd over the area of the detection', () => {
    const truths = [
      [5, 5, 10, 10],
      [0, 0, 10, 10],
      [0, 0, 20, 20],
    ] as const;
    expect(mask.iou([[0, 0, 10, 10]], truths, [0, 0, 1])).toEqual([[0.14285714285714285, 1, 1]]);
    expect(mask.iou([[0, 0, 0, 0]], truths, [0, 0, 0])).toEqual([[0, 0, 0]]);
  });

  it('of masks; sizes that differ give -1', () => {
    const [a, b] = [dense(['oo..', 'oo..']), dense(['.oo.', '....'])].map(mask.encode);
    expect(mask.iou([a, b], [a, b], [0, 1])).toEqual([
      [1, 1 / 4],
      [1 / 5, 1],
    ]);
    expect(mask.iou([a], [{ size: [4, 2], counts: [0, 8] }], [0])).toEqual([[-1]]);
  });

  it('is not between boxes and masks', () => {
    const item = { size: [2, 2], counts: [4] } as const;
    expect(() => mask.iou([item], [[0, 0, 1, 1]] as never, [0])).toThrow('not both');
    expect(() => mask.iou([item], [item], [])).toThrow('iscrowd has 0 values for 1');
  });
});

describe('boundary', () => {
  it('is what eroding takes away, the border of the image included', () => {
    const square = dense(['oooooo', 'oooooo', 'oooooo', 'oooooo', 'oooooo', 'oooooo']);
    const rle = encodeRuns(square.data, 6, 6);
    // 0.02 of the diagonal is less than a pixel: one.
    expect(decodeRuns(boundaryOf(rle, 0.02))).toEqual(
      dense(['oooooo', 'o....o', 'o....o', 'o....o', 'o....o', 'oooooo']).data,
    );
    // 0.2356 * 8.485 = 2.0
    expect(decodeRuns(boundaryOf(rle, 0.2356))).toEqual(
      dense(['oooooo', 'oooooo', 'oo..oo', 'oo..oo', 'oooooo', 'oooooo']).data,
    );
  });

  it('of two shifted squares overlaps less than the squares', () => {
    const at = (left: number) => {
      const data = new Uint8Array(100 * 100);
      for (let x = left; x < left + 40; x++) data.fill(1, x * 100 + 20, x * 100 + 60);
      return encodeRuns(data, 100, 100);
    };
    const [a, b] = [at(20), at(24)];
    expect(runIou(a, b, false)).toBeCloseTo((36 * 40) / (44 * 40), 12);
    expect(runIou(boundaryOf(a, 0.02), boundaryOf(b, 0.02), false)).toBeLessThan(0.5);
  });
});
