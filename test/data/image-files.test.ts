import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { UserError } from '../../src/core/errors.js';
import { imageFiles } from '../../src/data/image-files.js';
import { temporaryFolder, writeJpeg } from '../image/pictures.js';

it('keeps the order, and says which file is no picture', async () => {
  const folder = await temporaryFolder();
  await writeJpeg(join(folder, 'b.jpg'), 30, 20);
  await writeJpeg(join(folder, 'a.jpg'), 40, 50);
  writeFileSync(join(folder, 'text.jpg'), 'no picture');
  const images = await imageFiles(folder, ['b.jpg', 'a.jpg', 'b.jpg']);
  expect([0, 1, 2].map((i) => [images.name(i), images.width(i), images.label(i)])).toEqual([
    ['b.jpg', 30, -1],
    ['a.jpg', 40, -1],
    ['b.jpg', 30, -1],
  ]);
  expect(images.path(1)).toBe(join(folder, 'a.jpg'));
  // Without a root the names are paths.
  expect((await imageFiles('', [join(folder, 'a.jpg')])).path(0)).toBe(join(folder, 'a.jpg'));
  await expect(imageFiles(folder, ['b.jpg', 'text.jpg'])).rejects.toThrow(UserError);
  await expect(imageFiles(folder, ['none.jpg'])).rejects.toThrow(/none\.jpg: there is no such file/);
});
