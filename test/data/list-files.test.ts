import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { listImageFiles, sortByBytes } from '../../src/data/list-files.js';
import { temporaryFolder } from '../image/pictures.js';

const folder = await temporaryFolder();

async function tree(name: string, files: readonly string[]): Promise<string> {
  const root = join(folder, name);
  await mkdir(root);
  for (const file of files) {
    await mkdir(join(root, file, '..'), { recursive: true });
    await writeFile(join(root, file), '');
  }
  return root;
}

describe('listImageFiles', () => {
  it('finds images at any depth, in byte order of the whole path, and no hidden ones', async () => {
    const root = await tree('depth', [
      'b/z.JPG',
      'b-c/a.png',
      'a.jpeg',
      'b/deep/er/x.webp',
      '.hidden/a.jpg',
      'b/.a.jpg',
      'note.txt',
    ]);
    const { names, skipped } = await listImageFiles(root);
    expect(names).toEqual(['a.jpeg', 'b-c/a.png', 'b/deep/er/x.webp', 'b/z.JPG']);
    expect(skipped).toEqual([]);
  });

  it('names pictures of kinds that are not read', async () => {
    const root = await tree('kinds', ['a.jpg', 'b.bmp', 'c.HEIC']);
    const { names, skipped } = await listImageFiles(root);
    expect(names).toEqual(['a.jpg']);
    expect(skipped).toEqual([
      { path: join(root, 'b.bmp'), reason: 'format bmp is not supported' },
      { path: join(root, 'c.HEIC'), reason: 'format heic is not supported' },
    ]);
  });

  it('follows links once, and is not caught in circles', async () => {
    const root = await tree('links', ['real/a.jpg', 'real/b.jpg']);
    const outside = await tree('outside', ['c.jpg']);
    await symlink(root, join(root, 'real', 'circle'));
    await symlink(join(root, 'real'), join(root, 'second'));
    await symlink(outside, join(root, 'other'));
    await symlink(join(outside, 'c.jpg'), join(root, 'file.jpg'));
    await symlink(join(root, 'absent'), join(root, 'broken.jpg'));
    await symlink(join(root, 'self'), join(root, 'self'));
    const { names, skipped } = await listImageFiles(root);
    expect(names).toEqual(['file.jpg', 'other/c.jpg', 'real/a.jpg', 'real/b.jpg']);
    expect(skipped).toEqual([
      { path: join(root, 'broken.jpg'), reason: 'a link to nothing' },
      { path: join(root, 'self'), reason: 'a link to itself' },
    ]);
  });

  it('stamps every folder once', async () => {
    const root = await tree('stamps', ['a/x.jpg', 'a/b/y.jpg']);
    const { stamps } = await listImageFiles(root);
    expect(stamps.map(({ path, size }) => [path, size])).toEqual([
      [root, 1],
      [join(root, 'a'), 2],
      [join(root, 'a', 'b'), 1],
    ]);
  });
});

describe('sortByBytes', () => {
  it('sorts by code point, where UTF-16 order differs', () => {
    const names = ['\u{1f600}', '\uff5e', 'a'];
    sortByBytes(names);
    expect(names).toEqual(['a', '\uff5e', '\u{1f600}']);
  });
});
