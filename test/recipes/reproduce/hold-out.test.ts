import { readdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openDataset } from '../../../src/data/dataset.js';
import { holdOut } from '../../../src/recipes/reproduce/hold-out.js';
import { writeClasses } from '../../helpers/pictures.js';
import { temporaryFolder } from '../../image/pictures.js';

const folder = await temporaryFolder();
process.env.SCRL_HOME = join(folder, 'home');

function links(place: string): string[] {
  return readdirSync(place, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.\w+$/.test(name))
    .map((name) => realpathSync(join(place, name)))
    .sort();
}

it('splits every class, with every image in one of the two', async () => {
  await writeClasses(join(folder, 'a'), 'train', ['bus', 'car'], 5);
  const dataset = await openDataset({ root: join(folder, 'a') });
  await holdOut(dataset, 0.2, join(folder, 'split'));
  const [train, val] = ['train', 'val'].map((split) => links(join(folder, 'split', split)));
  expect([train.length, val.length]).toEqual([8, 2]);
  expect([...train, ...val].sort()).toEqual(links(join(folder, 'a', 'train')));
  expect(readdirSync(join(folder, 'split', 'val')).sort()).toEqual(['bus', 'car']);
  const found = await openDataset({ root: join(folder, 'split'), split: 'val' });
  expect([found.count, found.classes]).toEqual([2, ['bus', 'car']]);
});

it('refuses a class of a single image, and leaves nothing behind', async () => {
  await writeClasses(join(folder, 'b'), 'train', ['bus', 'car'], 1);
  const dataset = await openDataset({ root: join(folder, 'b') });
  await expect(holdOut(dataset, 0.2, join(folder, 'none'))).rejects.toThrow(/has a single image/);
  expect(readdirSync(folder).filter((name) => name.startsWith('none'))).toEqual([]);
});
