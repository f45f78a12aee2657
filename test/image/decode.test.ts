import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { decodePart } from '../../src/image/decode.js';
import { probeImage } from '../../src/image/probe.js';
import { ImageError } from '../../src/image/types.js';
import { difference, pattern, picture, temporaryFolder } from './pictures.js';

const folder = await temporaryFolder();
const upright = pattern(50, 37);
const WHOLE = { left: 0, top: 0, width: 50, height: 37 };

describe('decodePart', () => {
  const open = () => picture(upright);
  it.each([
    ['a.jpg', 'jpeg', () => open().jpeg({ quality: 98, chromaSubsampling: '4:4:4' }), 3],
    ['progressive.jpg', 'jpeg', () => open().jpeg({ quality: 98, progressive: true }), 4],
    ['cmyk.jpg', 'jpeg', () => open().toColourspace('cmyk').jpeg({ quality: 98 }), 40],
    ['a.png', 'png', () => open().png(), 0],
    ['16 bit.png', 'png', () => open().toColourspace('rgb16').png(), 1],
    ['alpha.png', 'png', () => open().ensureAlpha(0.25).png(), 0],
    ['palette.png', 'png', () => open().png({ palette: true, colours: 256 }), 20],
    ['a.webp', 'webp', () => open().webp({ lossless: true }), 0],
    ['a.tiff', 'tiff', () => open().tiff({ compression: 'lzw' }), 0],
    ['16 bit.tif', 'tiff', () => open().toColourspace('rgb16').tiff({ compression: 'lzw' }), 1],
    ['a.gif', 'gif', () => open().gif(), 20],
    ['a.avif', 'avif', () => open().avif({ quality: 95, effort: 0, chromaSubsampling: '4:4:4' }), 6],
  ] as const)('%s gives three channels of 8 bits', async (name, format, encoded, tolerance) => {
    const path = join(folder, name);
    await encoded().toFile(path);
    const info = await probeImage(path);
    expect(info).toEqual({ width: 50, height: 37, format, orientation: 1 });
    const { image } = await decodePart(path, info, 1, WHOLE);
    expect([image.width, image.height]).toEqual([50, 37]);
    expect(difference(image.data, upright.data).mean).toBeLessThanOrEqual(tolerance);
  });

  it.each([
    ['grey.png', 'b-w', 0],
    ['grey.jpg', 'b-w', 2],
    ['grey16.png', 'grey16', 1],
  ] as const)('%s gives three equal channels', async (name, space, tolerance) => {
    const path = join(folder, name);
    const grey = upright.data.filter((_, i) => i % 3 === 0);
    const stored = sharp(grey, { raw: { width: 50, height: 37, channels: 1 } }).toColourspace(space);
    await (name === 'grey.jpg' ? stored.jpeg({ quality: 98 }) : stored.png()).toFile(path);
    const { image } = await decodePart(path, await probeImage(path), 1, WHOLE);
    const expected = upright.data.map((_, i) => grey[Math.floor(i / 3)]);
    expect(difference(image.data, expected).largest).toBeLessThanOrEqual(tolerance);
  });

  it('takes the first frame of an animation', async () => {
    const path = join(folder, 'animated.gif');
    const frames = await Promise.all(
      [0, 3].map((phase) =>
        picture(pattern(50, 37, phase))
          .png()
          .toBuffer(),
      ),
    );
    await sharp(frames, { join: { animated: true } })
      .gif()
      .toFile(path);
    const info = await probeImage(path);
    expect([info.width, info.height]).toEqual([50, 37]);
    const { image } = await decodePart(path, info, 1, WHOLE);
    expect(difference(image.data, upright.data).mean).toBeLessThan(20);
  });

  it('decodes a part: the same pixels as in the whole', async () => {
    const path = join(folder, 'part.png');
    await open().png().toFile(path);
    const area = { left: 7, top: 5, width: 20, height: 11 };
    const part = await decodePart(path, await probeImage(path), 1, area);
    expect([part.offsetX, part.offsetY, part.scaleX, part.scaleY]).toEqual([-7, -5, 1, 1]);
    for (let y = 0; y < 11; y++) {
      const row = part.image.data.subarray(y * 60, (y + 1) * 60);
      expect([...row]).toEqual([...upright.data.subarray(((y + 5) * 50 + 7) * 3).slice(0, 60)]);
    }
  });

  it('turns all eight EXIF orientations upright', async () => {
    for (let orientation = 1; orientation <= 8; orientation++) {
      const path = join(folder, `orientation ${orientation}.png`);
      await stored(orientation).png().withMetadata({ orientation }).toFile(path);
      const info = await probeImage(path);
      expect(info).toEqual({ width: 50, height: 37, format: 'png', orientation });
      const { image } = await decodePart(path, info, 1, WHOLE);
      expect(difference(image.data, upright.data).largest, `orientation ${orientation}`).toBe(0);
    }
  });

  /** Stored pixels, by the definition of the EXIF tag: where stored row 0 and column 0 are in the upright picture. */
  function stored(orientation: number) {
    const swap = orientation >= 5;
    const [width, height] = swap ? [37, 50] : [50, 37];
    const data = new Uint8Array(upright.data.length);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const [u, v] = swap ? [y, x] : [x, y];
        const uprightX = [2, 3, 6, 7].includes(orientation) ? 49 - u : u;
        const uprightY = [3, 4, 7, 8].includes(orientation) ? 36 - v : v;
        const from = (uprightY * 50 + uprightX) * 3;
        data.set(upright.data.subarray(from, from + 3), (y * width + x) * 3);
      }
    }
    return picture({ data, width, height });
  }

  it.each([2, 4, 8] as const)('reduces by %i in place: a coordinate keeps its content', async (reduction) => {
    // The gradient of the red channel says where a pixel came from: 40 + 170 x / width.
    const wide = pattern(405, 309);
    for (const orientation of [1, 2, 3, 4]) {
      const picked = picture(wide);
      if (orientation === 2 || orientation === 3) picked.flop();
      if (orientation === 3 || orientation === 4) picked.flip();
      for (const name of [`plain ${orientation}.jpg`, `in [brackets] ${orientation}.jpg`]) {
        const path = join(folder, `${reduction} ${name}`);
        await writeFile(
          path,
          await picked.clone().jpeg({ quality: 98 }).withMetadata({ orientation }).toBuffer(),
        );
        const area = { left: 100, top: 60, width: 200, height: 200 };
        const part = await decodePart(path, await probeImage(path), reduction, area);
        const { image, scaleX, offsetX, scaleY, offsetY } = part;
        expect(image.width * image.height).toBeLessThan((203 / reduction + 2) ** 2);
        // The pattern rounds down, so a reduced pixel is half a level below the gradient at its centre. An offset
        // that is wrong by one stored pixel would show as 0.4 levels on average.
        const error = [0, 0];
        for (let i = 0; i < image.width * image.height; i++) {
          const centreX = ((i % image.width) + 0.5 - offsetX) / scaleX;
          const centreY = (Math.floor(i / image.width) + 0.5 - offsetY) / scaleY;
          error[0] += image.data[i * 3] - (39.5 + (170 * (centreX - 0.5)) / 405);
          error[1] += image.data[i * 3 + 1] - (39.5 + (170 * (centreY - 0.5)) / 309);
        }
        // Through `resize()` sharp places the picture less exactly: a fifth of a reduced pixel.
        const tolerance = name.startsWith('plain') ? 0.25 : 0.8;
        for (const sum of error) {
          expect(Math.abs(sum / (image.width * image.height)), path).toBeLessThan(tolerance);
        }
      }
    }
  });

  it.each(['a b,c=d:e%20é.jpg', "it's.jpg", 'a[1].jpg', 'x[shrink=2].jpg'])(
    'finds a file called %s',
    async (name) => {
      const path = join(folder, name);
      await writeFile(path, await picture(pattern(160, 120)).jpeg().toBuffer());
      const info = await probeImage(path);
      const { image } = await decodePart(path, info, 4, { left: 0, top: 0, width: 160, height: 120 });
      expect([image.width, image.height]).toEqual([40, 30]);
    },
  );

  it.each(['jpg', 'png', 'webp', 'gif', 'tiff', 'avif'])('refuses a truncated %s', async (extension) => {
    const whole = join(folder, `whole.${extension}`);
    await picture(pattern(300, 200)).toFile(whole);
    const path = join(folder, `truncated.${extension}`);
    const bytes = await readFile(whole);
    await writeFile(path, bytes.subarray(0, Math.floor(bytes.length * 0.6)));
    const info = await probeImage(whole);
    const decoded = decodePart(path, info, 1, { left: 0, top: 0, width: 300, height: 200 });
    await expect(decoded).rejects.toThrow(ImageError);
    await expect(decoded).rejects.toThrow('cannot be decoded: damaged, or not complete');
  });

  it('says so when a file no longer has the size that was indexed', async () => {
    const path = join(folder, 'changed.png');
    await picture(pattern(60, 50)).toFile(path);
    const info = { width: 50, height: 37, format: 'png', orientation: 1 } as const;
    await expect(decodePart(path, info, 1, WHOLE)).rejects.toThrow(
      'changed.png: decoded to 60x50x3 where 50x37x3 was expected',
    );
  });
});

describe('probeImage', () => {
  it.each([
    ['nothing.jpg', '', 'the file is empty'],
    ['text.jpg', 'text', 'no picture in a format that is read, or its header is damaged'],
  ])('refuses %s', async (name, content, reason) => {
    const path = join(folder, name);
    await writeFile(path, content);
    await expect(probeImage(path)).rejects.toThrow(ImageError);
    await expect(probeImage(path)).rejects.toThrow(`${name}: ${reason}`);
  });

  it('refuses a missing file and a kind of picture that is not read', async () => {
    await expect(probeImage(join(folder, 'absent.jpg'))).rejects.toThrow('absent.jpg: there is no such file');
    const path = join(folder, 'drawing.jpg');
    await writeFile(path, '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>');
    await expect(probeImage(path)).rejects.toThrow('format svg is not supported');
  });
});

describe('probeImage on a bomb', () => {
  /** A progressive JPEG whose header claims another size. */
  async function claiming(name: string, width: number, height: number): Promise<string> {
    const bytes = await picture(upright).jpeg({ progressive: true }).toBuffer();
    const frame = bytes.indexOf(Buffer.from([0xff, 0xc2]));
    bytes.writeUInt16BE(height, frame + 5);
    bytes.writeUInt16BE(width, frame + 7);
    await writeFile(join(folder, name), bytes);
    return join(folder, name);
  }

  it('refuses from the header what takes too much to decode, and that only', async () => {
    await expect(probeImage(await claiming('bomb.jpg', 16_383, 16_383))).rejects.toThrow(
      /16383x16383 exceeds 50000000 pixels, the limit for a progressive or interlaced picture/,
    );
    expect(await probeImage(await claiming('large.jpg', 8000, 6000))).toMatchObject({ width: 8000 });
  });
});
