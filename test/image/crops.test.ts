import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { RandomStream } from '../../src/core/rng.js';
import { centerCropWindow, decodeCrops } from '../../src/image/crops.js';
import { encodeJpeg, encodePng } from '../../src/image/encode.js';
import { probeImage } from '../../src/image/probe.js';
import { literalResize, mirrored } from './literal-resize.js';
import { difference, pattern, picture, temporaryFolder } from './pictures.js';

const folder = await temporaryFolder();
const source = pattern(90, 70);
const path = join(folder, 'source.png');
await picture(source).toFile(path);
const info = await probeImage(path);

describe('decodeCrops', () => {
  it('equals the literal crop, resize and flip', async () => {
    const stream = new RandomStream(1, 'crops');
    for (let trial = 0; trial < 6; trial++) {
      const crops = Array.from({ length: 2 }, () => {
        const width = stream.integer(30, 61);
        const height = stream.integer(30, 61);
        const left = stream.integer(0, 90 - width + 1);
        const top = stream.integer(0, 70 - height + 1);
        return { top, left, height, width, flipped: stream.chance(0.5) };
      });
      const views = await decodeCrops(path, info, crops, 32);
      for (const [i, crop] of crops.entries()) {
        const upright = literalResize(source, crop, 32);
        const expected = crop.flipped ? mirrored(upright, 32) : upright;
        expect(difference(views[i], expected).largest).toBeLessThanOrEqual(1);
      }
    }
  });

  it('stays close to the full picture when a large JPEG is reduced in the decoder', async () => {
    const large = pattern(803, 601);
    const jpeg = join(folder, 'large.jpg');
    await picture(large).jpeg({ quality: 98, chromaSubsampling: '4:4:4' }).toFile(jpeg);
    const crop = { top: 11, left: 21, height: 560, width: 777, flipped: false };
    const [view] = await decodeCrops(jpeg, await probeImage(jpeg), [crop], 32);
    const { largest, mean } = difference(view, literalResize(large, crop, 32));
    expect(mean).toBeLessThan(0.8);
    expect(largest).toBeLessThan(6);
  });

  it('reduces large files of other formats too', async () => {
    const large = pattern(400, 300);
    for (const extension of ['png', 'webp', 'tiff']) {
      const file = join(folder, `large.${extension}`);
      await picture(large).toFile(file);
      const crop = { top: 0, left: 100, height: 300, width: 300, flipped: true };
      const [view] = await decodeCrops(file, await probeImage(file), [crop], 32);
      expect(difference(view, mirrored(literalResize(large, crop, 32), 32)).mean).toBeLessThan(1.5);
    }
  });

  it('returns nothing for no windows', async () => {
    expect(await decodeCrops(path, info, [], 32)).toEqual([]);
  });
});

describe('centerCropWindow', () => {
  it('is the centre square of 224 after resizing the shorter side to 256', () => {
    // 500 x 375 -> 341 x 256 (341.33 rounded down); margins (341 - 224) / 2 = 58.5 -> 58 (even) and 16.
    const window = centerCropWindow(500, 375, 256, 224);
    expect(window.left).toBeCloseTo((58 * 500) / 341, 10);
    expect(window.top).toBeCloseTo((16 * 375) / 256, 10);
    expect(window.width).toBeCloseTo((224 * 500) / 341, 10);
    expect(window.height).toBeCloseTo((224 * 375) / 256, 10);
  });

  it('refuses a crop larger than the resized picture', () => {
    expect(() => centerCropWindow(500, 375, 200, 224)).toThrow(
      'the shorter side, 200, must not be below the crop, 224',
    );
  });
});

describe('a centre crop', () => {
  it('equals resizing the whole picture and cutting out the centre', async () => {
    // 90 x 70 -> 41 x 32, margins 4 (4.5 to even) and 4 for a crop of 32 - 8 = 24.
    const centre = centerCropWindow(90, 70, 32, 24);
    const [view] = await decodeCrops(path, info, [centre], 24, { headroom: 2 });
    const window = { left: (8 * 90) / 41, top: (4 * 70) / 32, width: (24 * 90) / 41, height: (24 * 70) / 32 };
    expect(difference(view, literalResize(source, window, 24, true)).largest).toBeLessThanOrEqual(1);
  });
});

describe('encoding', () => {
  it('writes PNG without loss and JPEG with little', async () => {
    const png = join(folder, 'encoded.png');
    await writeFile(png, await encodePng(source));
    const whole = { top: 0, left: 0, height: 70, width: 90, flipped: false };
    const [view] = await decodeCrops(png, await probeImage(png), [whole], 40);
    const [same] = await decodeCrops(path, info, [whole], 40);
    expect(view).toEqual(same);
    expect((await encodeJpeg(source, 90)).subarray(0, 2)).toEqual(Buffer.from([0xff, 0xd8]));
  });
});
