import { describe, expect, it } from 'vitest';
import { hasFonts } from '../../src/image/overlay.js';
import { encode, type Rle } from '../../src/pycocotools/mask/rle.js';
import type { Picture } from '../../src/report/canvas.js';
import { classColour, inkOn } from '../../src/report/class-colours.js';
import { type DrawnDetections, drawDetections } from '../../src/report/draw-detections.js';

const GROUND = 60;
const blank = (width: number, height: number): Picture => ({
  data: new Uint8Array(width * height * 3).fill(GROUND),
  width,
  height,
});
const at = ({ data, width }: Picture, x: number, y: number): number[] => [
  ...data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3),
];
/** Left half of a picture. */
const half = (width: number, height: number): Rle =>
  encode(new Uint8Array(width * height).fill(1, 0, (width >> 1) * height), height, width);

const draw = (more: Partial<DrawnDetections> = {}): Promise<Picture> =>
  drawDetections({
    pixels: blank(600, 400),
    boxes: [100, 100, 300, 250],
    classes: [2],
    names: ['zero', 'one', 'two'],
    ...more,
  });

describe('drawDetections', () => {
  it('draws the box in the colour of its class, with a label on it, and leaves the input alone', async () => {
    const pixels = blank(600, 400);
    const picture = await draw({ pixels });
    expect([picture.width, picture.height]).toEqual([600, 400]);
    for (const [x, y] of [
      [100, 200],
      [300, 200],
      [200, 100],
      [200, 250],
    ]) {
      const colour = at(picture, x, y);
      classColour(2).forEach((value, c) => {
        expect(Math.abs(colour[c] - value)).toBeLessThan(60);
      });
    }
    expect(at(picture, 200, 200)).toEqual([GROUND, GROUND, GROUND]);
    expect(at(picture, 101, 90)).toEqual([...classColour(2)]);
    expect(new Set(pixels.data)).toEqual(new Set([GROUND]));
  });

  it('writes the name with the fonts of the machine', async () => {
    if (!(await hasFonts())) return;
    const count = async (names: string[]): Promise<number> => {
      const picture = await draw({ names });
      let ink = 0;
      for (let y = 80; y < 99; y++) {
        for (let x = 90; x < 400; x++) if (at(picture, x, y)[1] < 30) ink++;
      }
      return ink;
    };
    const short = await count(['', '', 'i']);
    expect(short).toBeGreaterThan(0);
    expect(await count(['', '', 'mmmmmm'])).toBeGreaterThan(4 * short);
    // What XML cannot hold or would read as its own.
    expect(await count(['', '', '<&">\u0000\u001b'])).toBeGreaterThan(0);
  });

  it('tints masks and draws their rim; crowds are grey', async () => {
    const masks = [half(600, 400)];
    const picture = await draw({ masks });
    const [red, green, blue] = classColour(2);
    const tint = [red, green, blue].map((value) => Math.round(0.6 * GROUND + 0.4 * value));
    expect(at(picture, 50, 350)).toEqual(tint);
    expect(at(picture, 299, 350)).toEqual([red, green, blue]);
    expect(at(picture, 310, 350)).toEqual([GROUND, GROUND, GROUND]);
    const [r, g, b] = at(await draw({ masks, crowd: [1] }), 50, 350);
    expect([g, b]).toEqual([r, r]);
  });

  it('enlarges small pictures by a whole number, boxes and masks alike', async () => {
    const picture = await drawDetections({
      pixels: blank(30, 20),
      boxes: [3, 10, 9, 16],
      classes: [0],
      names: ['a'],
      masks: [half(30, 20)],
    });
    expect([picture.width, picture.height]).toEqual([480, 320]);
    expect(at(picture, 15 * 16 - 1, 300)).toEqual([...classColour(0)]);
    expect(at(picture, 15 * 16 + 2, 300)).toEqual([GROUND, GROUND, GROUND]);
  });

  it('takes no detections, very many, very thin pictures, and empty masks', async () => {
    const none = await draw({ boxes: [], classes: [], scores: [], masks: [] });
    expect(new Uint8Array(none.data)).toEqual(blank(600, 400).data);
    const boxes = Float64Array.from({ length: 4 * 3000 }, (_, i) => (i * 7) % (i % 2 === 0 ? 590 : 390));
    const many = { boxes, classes: Array.from({ length: 3000 }, (_, i) => i), scores: boxes.map(() => 0.5) };
    expect((await draw(many)).width).toBe(600);
    expect((await draw({ pixels: blank(20, 4000) })).height).toBe(4000);
    const empty = { height: 400, width: 600, counts: Uint32Array.of(240_000) };
    expect(at(await draw({ masks: [empty] }), 200, 200)).toEqual([GROUND, GROUND, GROUND]);
  });
});

describe('class colours', () => {
  it('tell neighbours apart', () => {
    for (let label = 0; label < 200; label++) {
      const colour = classColour(label);
      for (const next of [1, 2, 3]) {
        const other = classColour(label + next);
        expect(Math.hypot(...colour.map((value, c) => value - other[c])), `${label}`).toBeGreaterThan(40);
      }
    }
  });

  it('have ink of a contrast of 4.5 at least', () => {
    const luminance = (colour: readonly number[]): number => {
      const [red, green, blue] = colour.map((value) =>
        value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4,
      );
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    for (let label = 0; label < 300; label++) {
      const ground = luminance(classColour(label));
      const contrast =
        inkOn(classColour(label)) === 'black' ? (ground + 0.05) / 0.05 : 1.05 / (ground + 0.05);
      expect(contrast, `${label}`).toBeGreaterThan(4.5);
    }
  });
});
