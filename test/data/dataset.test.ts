import { mkdir, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { UserError } from '../../src/core/errors.js';
import type { Log } from '../../src/core/log.js';
import { hasSplit, type ImageDataset, openDataset } from '../../src/data/dataset.js';
import { pattern, picture, temporaryFolder, writeJpeg } from '../image/pictures.js';

const folder = await temporaryFolder();
const UNREADABLE = 'no picture in a format that is read, or its header is damaged';
let counter = 0;
let root = '';

beforeEach(async () => {
  root = join(folder, `set ${counter++}`);
  process.env.SCRL_HOME = join(folder, `home ${counter}`);
  await mkdir(root);
});

function rows({ images, count }: ImageDataset): unknown[] {
  return Array.from({ length: count }, (_, i) => [
    images.name(i),
    images.width(i),
    images.height(i),
    images.label(i),
  ]);
}

describe('openDataset on a folder', () => {
  it('reads sizes after orientation, without labels', async () => {
    await writeJpeg(join(root, 'b.jpg'), 30, 20);
    await picture(pattern(30, 20)).withMetadata({ orientation: 6 }).toFile(join(root, 'a.png'));
    const dataset = await openDataset({ root });
    expect(rows(dataset)).toEqual([
      ['a.png', 20, 30, -1],
      ['b.jpg', 30, 20, -1],
    ]);
    expect(dataset.classes).toBeUndefined();
    expect(dataset.images.info(0)).toEqual({ width: 20, height: 30, format: 'png', orientation: 6 });
    expect(dataset.images.path(1)).toBe(join(root, 'b.jpg'));
  });

  it('skips and lists files that cannot be used', async () => {
    await writeJpeg(join(root, 'good.jpg'));
    await writeFile(join(root, 'empty.jpg'), '');
    await writeFile(join(root, 'text.png'), 'text');
    await picture(pattern(1, 1)).toFile(join(root, 'dot.png'));
    await writeFile(join(root, 'cut.jpg'), (await readFile(join(root, 'good.jpg'))).subarray(0, 40));
    const { count, skipped } = await openDataset({ root });
    expect(count).toBe(1);
    expect(skipped.map(({ path, reason }) => [path.slice(root.length + 1), reason])).toEqual([
      ['cut.jpg', UNREADABLE],
      ['dot.png', 'only 1x1 pixels'],
      ['empty.jpg', 'the file is empty'],
      ['text.png', UNREADABLE],
    ]);
  });

  it('takes sub-folders as classes when each holds images', async () => {
    for (const name of ['cat/2', 'cat-fish/1', 'ant/deep/3']) await writeJpeg(join(root, `${name}.jpg`));
    const { classes, ...dataset } = await openDataset({ root });
    expect(classes).toEqual(['ant', 'cat', 'cat-fish']);
    expect(rows(dataset as ImageDataset).map((row) => (row as unknown[])[3])).toEqual([0, 2, 1]);
  });

  it.each([
    ['an image beside the sub-folders', ['a/1.jpg', 'b/1.jpg', 'c.jpg']],
    ['a single sub-folder', ['a/1.jpg', 'a/2.jpg']],
  ])('sees no classes with %s', async (_, names) => {
    for (const name of names) await writeJpeg(join(root, name));
    expect((await openDataset({ root })).classes).toBeUndefined();
  });

  it('sees no classes when a sub-folder holds none', async () => {
    for (const name of ['a/1', 'b/1']) await writeJpeg(join(root, `${name}.jpg`));
    await mkdir(join(root, 'annotations'));
    expect((await openDataset({ root })).classes).toBeUndefined();
  });

  it('knows the layout of ImageNet', async () => {
    for (const name of ['train/n01/a', 'train/n02/b', 'val/n01/c', 'val/n02/d'])
      await writeJpeg(join(root, `${name}.jpg`));
    const train = await openDataset({ root });
    expect([train.root, train.classes, rows(train).length]).toEqual([join(root, 'train'), ['n01', 'n02'], 2]);
    const val = await openDataset({ root, split: 'val' });
    expect(rows(val)).toEqual([
      ['n01/c.jpg', 24, 20, 0],
      ['n02/d.jpg', 24, 20, 1],
    ]);
    expect(await hasSplit(root, 'val')).toBe(true);
  });

  it('takes `train` with images directly in it, and `train` beside other classes as a class', async () => {
    await writeJpeg(join(root, 'train', 'a.jpg'));
    expect(rows(await openDataset({ root }))).toEqual([['a.jpg', 24, 20, -1]]);
    expect(await hasSplit(root, 'val')).toBe(false);
    await expect(openDataset({ root, split: 'val' })).rejects.toThrow('there is no `val` folder');
    await writeJpeg(join(root, 'bus', 'a.jpg'));
    expect((await openDataset({ root })).classes).toEqual(['bus', 'train']);
  });

  it('reports progress', async () => {
    for (const name of ['a', 'b', 'c']) await writeJpeg(join(root, `${name}.jpg`));
    const seen: number[][] = [];
    await openDataset({ root, onProgress: (done, total) => seen.push([done, total]) });
    expect(seen).toEqual([
      [1, 3],
      [2, 3],
      [3, 3],
    ]);
  });

  it.each([
    ['a missing folder', 'absent', 'there is no such folder'],
    ['an empty folder', 'empty', 'holds no images'],
    ['a file', 'file.jpg', 'is a file; a folder of images is needed'],
    ['nothing readable', 'unreadable', 'the only image cannot be read'],
  ])('explains %s', async (_, name, message) => {
    await mkdir(join(root, 'empty'));
    await mkdir(join(root, 'unreadable'));
    await writeJpeg(join(root, 'file.jpg'));
    await writeFile(join(root, 'unreadable', 'a.jpg'), 'text');
    const opened = openDataset({ root: join(root, name) });
    await expect(opened).rejects.toThrow(UserError);
    await expect(opened).rejects.toThrow(`${join(root, name)}: ${message}`);
  });
});

describe('openDataset on a COCO file', () => {
  const write = async (content: unknown): Promise<string> => {
    const path = join(root, 'annotations.json');
    await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
    return path;
  };

  it('finds a file with an absolute name where it is', async () => {
    const elsewhere = join(root, 'elsewhere', 'a.jpg');
    await writeJpeg(elsewhere);
    const annotations = await write({ images: [{ id: 1, file_name: elsewhere }] });
    const dataset = await openDataset({ root, annotations });
    expect(dataset.images.path(0)).toBe(elsewhere);
    expect(dataset.skipped).toEqual([]);
  });

  it('passes over what is longer than the window in which it reads', async () => {
    await writeJpeg(join(root, 'a.jpg'));
    const long = Array.from({ length: 300_000 }, (_, id) => ({ id }));
    const images = [{ license: 'x'.repeat(3_000_000), file_name: 'a.jpg', id: 1 }];
    const dataset = await openDataset({ root, annotations: await write({ annotations: long, images }) });
    expect(rows(dataset)).toEqual([['a.jpg', 24, 20, -1]]);
  });

  it('uses the listed images only, once each, without labels', async () => {
    for (const name of ['x/a', 'y/b', 'y/c']) await writeJpeg(join(root, 'images', `${name}.jpg`));
    const listed = ['y/b.jpg', 'x/a.jpg', 'y/b.jpg', 'x/absent.jpg'];
    const annotations = await write({ images: listed.map((file_name, id) => ({ id, file_name })) });
    const dataset = await openDataset({ root: join(root, 'images'), annotations });
    expect(rows(dataset)).toEqual([
      ['x/a.jpg', 24, 20, -1],
      ['y/b.jpg', 24, 20, -1],
    ]);
    expect(dataset.classes).toBeUndefined();
    expect(dataset.skipped).toEqual([
      { path: join(root, 'images', 'x/absent.jpg'), reason: 'there is no such file' },
    ]);
  });

  it.each([
    ['{"images": [', 'is not valid JSON'],
    ['{"images": [{"file_name": "a.jpg"}]} x', 'byte 37: is not valid JSON: expected the end of the file'],
    [{ annotations: [] }, 'images: holds no list of images'],
    [{ images: { file_name: 'a.jpg' } }, 'images: holds no list of images'],
    [{ images: [3] }, 'images[0].file_name: an image without a file name'],
    [{ images: [{ file_name: 3 }] }, 'images[0].file_name: an image without a file name (found 3)'],
    [{ images: [{ file_name: 'a.jpg' }, { id: 3 }] }, 'images[1].file_name: an image without a file name'],
    [[], 'images: holds no list of images'],
  ])('explains what is wrong with %j', async (content, message) => {
    const opened = openDataset({ root, annotations: await write(content) });
    await expect(opened).rejects.toThrow(UserError);
    await expect(opened).rejects.toThrow(message);
  });

  it('explains a missing file', async () => {
    const opened = openDataset({ root, annotations: join(root, 'absent.json') });
    await expect(opened).rejects.toThrow('absent.json: there is no such annotation file');
  });
});

describe('the cached index', () => {
  const opened = async (options: { rescan?: boolean; log?: Log } = {}) => {
    let probed = 0;
    const dataset = await openDataset({ root, ...options, onProgress: () => probed++ });
    return { dataset, probed };
  };
  const indexFile = async (): Promise<string> => {
    const at = join(process.env.SCRL_HOME ?? '', 'index');
    return join(at, (await readdir(at))[0]);
  };

  beforeEach(async () => {
    for (const name of ['a/1', 'a/2', 'b/ü'] as const) await writeJpeg(join(root, `${name}.jpg`));
    await writeFile(join(root, 'b', 'bad.jpg'), '');
  });

  it('gives the same data set without reading a header', async () => {
    const first = await opened();
    const second = await opened();
    expect([first.probed, second.probed]).toEqual([4, 0]);
    expect(rows(second.dataset)).toEqual(rows(first.dataset));
    expect(second.dataset.skipped).toEqual(first.dataset.skipped);
    expect(second.dataset.classes).toEqual(['a', 'b']);
    expect(second.dataset.images.info(2)).toEqual({ width: 24, height: 20, format: 'jpeg', orientation: 1 });
  });

  it('notices added, removed and renamed files at any depth', async () => {
    await opened();
    await writeJpeg(join(root, 'b', 'new.jpg'));
    expect((await opened()).probed).toBe(5);
    await rm(join(root, 'a', '1.jpg'));
    expect((await opened()).probed).toBe(4);
    await utimes(join(root, 'a'), 1, 1);
    expect((await opened()).probed).toBe(4);
    expect((await opened()).probed).toBe(0);
  });

  it('does not notice a file overwritten in place; `rescan` does', async () => {
    await opened();
    await writeJpeg(join(root, 'a', '1.jpg'), 40, 30);
    expect((await opened()).dataset.images.width(0)).toBe(24);
    expect((await opened({ rescan: true })).dataset.images.width(0)).toBe(40);
    expect((await opened()).dataset.images.width(0)).toBe(40);
  });

  it('ignores a damaged file, says so when asked, and replaces it', async () => {
    await opened();
    const path = await indexFile();
    const whole = await readFile(path);
    const said: string[] = [];
    const log = { info() {}, warn() {}, debug: (message: string) => said.push(message) };
    for (const damage of [
      Buffer.alloc(0),
      whole.subarray(0, whole.length - 5),
      Buffer.concat([whole.subarray(0, 200), Buffer.from([whole[200] ^ 1]), whole.subarray(201)]),
    ]) {
      await writeFile(path, damage);
      expect((await opened({ log })).probed).toBe(4);
    }
    expect(said).toEqual(Array(3).fill(`${path}: no usable index: wrong checksum`));
    expect((await opened()).probed).toBe(0);
  });

  it('goes on without a cache when its folder cannot be written', async () => {
    process.env.SCRL_HOME = join(root, 'a', '1.jpg');
    const said: string[] = [];
    const log = { info() {}, warn: (message: string) => said.push(message), debug() {} };
    expect((await opened({ log })).dataset.count).toBe(3);
    expect(said).toEqual([expect.stringContaining(`the index of ${root} was not kept`)]);
  });
});
