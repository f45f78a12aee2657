/** `scrl knn` as users run it. */

import { mkdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../helpers/cli.js';
import { truncateFile, writeClasses, writePhoto } from '../helpers/photos.js';
import { writeResNet18 } from '../helpers/weights.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scrl-knn-'));
  await writeClasses(join(folder, 'data/train'), 8);
  await writeClasses(join(folder, 'data/val'), 5, 100);
  await writeClasses(join(folder, 'flat'), 4);
  await writePhoto(join(folder, 'unsorted/a.jpg'), 'fine', 1);
  mkdirSync(join(folder, 'nothing'));
  await writeClasses(join(folder, 'other/train'), 1);
  await writeClasses(join(folder, 'other/val'), 1);
  await writePhoto(join(folder, 'other/val/wavy/0.jpg'), 'fine', 1);
  await writeResNet18(join(folder, 'r18.pth'), 1);
  await writeResNet18(join(folder, 'cut.pth'), 1);
  truncateFile(join(folder, 'cut.pth'), 0.7);
  await writeResNet18(join(folder, 'huge.pth'), 1, 1e4);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const random = ['--weights', 'random', '--backbone', 'resnet18', '--size', '64'];
const run = (...args: string[]) => runCli(folder, ['knn', ...args]);

describe('random weights', () => {
  it('are a base line that depends on the seed, and on nothing else', async () => {
    const measure = async (...args: string[]) => {
      const { code, out, err } = await run(
        ...random,
        '--dataset/root',
        'data',
        '--k',
        '3,50',
        '--json',
        ...args,
      );
      expect([code, err]).toEqual([0, expect.any(String)]);
      return { report: JSON.parse(out), err };
    };
    const { report, err } = await measure();
    expect(report).toMatchObject({ images: 10, bank: 16, classes: 2, failed: 0, network: 'resnet18' });
    expect(report.top1['3']).toBeGreaterThanOrEqual(90);
    // Two classes: both are among the first five, once both have votes.
    expect(report.top5['50']).toBe(100);
    expect(err).toContain('k = 50 is more than the bank holds: all 16 vote');
    expect((await measure('--batch', '3', '--workers', '1')).report).toEqual(report);
    expect((await measure('--seed', '5')).report.weights).toBe('random, seed 5');
  });

  it('leave one out of a folder without splits, with a limited bank', async () => {
    const args = ['--dataset/root', 'flat', '--bank_limit', '5', '--k', '1', '--json'];
    const { code, out, err } = await run(...random, ...args);
    expect(err).toContain('leave one out');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ images: 5, bank: 5, leaveOneOut: true });
  });
});

it('takes a file of weights, prints a table, leaves out what cannot be decoded', async () => {
  await writeClasses(join(folder, 'damaged/train'), 4);
  await writeClasses(join(folder, 'damaged/val'), 3, 100);
  for (const name of ['train/fine/0.jpg', 'val/coarse/2.jpg']) truncateFile(join(folder, 'damaged', name));
  const args = ['--weights', 'r18.pth', '--dataset/root', 'damaged', '--size', '64', '--k', '1,2'];
  const { code, out, err } = await run(...args);
  expect(err).toMatch(
    /2 files cannot be decoded, and left out\n {2}.*fine.0\.jpg: .*\n {2}.*coarse.2\.jpg: /,
  );
  expect(out).toMatch(/^k\s+top-1 %\s+top-5 %\n-.*\n1\s+\d+\.\d\d\s+\d+\.\d\d\n2\s+\d/);
  expect(out).toContain('5 images against 7, 2 classes; resnet18, r18.pth');
  expect(code).toBe(0);
});

it('knows the classes by their names: `val` may lack some', async () => {
  await writeClasses(join(folder, 'more/train'), 4);
  await writePhoto(join(folder, 'more/train/another/0.jpg'), 'fine', 50);
  await writeClasses(join(folder, 'more/val'), 3, 100);
  const { out } = await run(...random, '--dataset/root', 'more', '--k', '3', '--json');
  const { top1, classes } = JSON.parse(out);
  expect(classes).toBe(3);
  expect(top1['3']).toBeGreaterThan(80);
});

describe('mistakes end with 2 and say what to do', () => {
  const data = ['--dataset/root', 'data'];
  it.each([
    ['no weights', data, /Missing required argument: weights/],
    ['weights that are not there', ['--weights', 'no.pth', ...data], /no\.pth/],
    ['truncated weights', ['--weights', 'cut.pth', ...data], /cut\.pth/],
    ['weights that overflow', ['--weights', 'huge.pth', '--size', '64', ...data], /huge\.pth: .* not finite/],
    ['random weights of nothing', ['--weights', 'random', ...data], /add --backbone resnet50/],
    [
      'an architecture for a file',
      ['--weights', 'r18.pth', '--backbone', 'resnet18', ...data],
      /--backbone: a file says its own/,
    ],
    ['a role of random weights', [...random, '--role', 'target', ...data], /leave out --role/],
    [
      'a role that is not in the file',
      ['--weights', 'r18.pth', '--role', 'target', ...data],
      /r18\.pth: --role: holds no such network/,
    ],
    ['no neighbours', [...random, ...data, '--k', '20,0'], /--k: must be a whole number/],
    [
      'no temperature',
      [...random, ...data, '--temperature', '-1'],
      /--temperature: must be a number above 0/,
    ],
    [
      'a bank of one',
      [...random, ...data, '--bank_limit', '1'],
      /--bank_limit: must be a whole number from 2/,
    ],
    ['another device', [...random, ...data, '--engine/device', 'tpu'], /--engine\/device: must be one of/],
    ['no folder', [...random, '--dataset/root', 'nowhere'], /nowhere: there is no such folder/],
    ['an empty folder', [...random, '--dataset/root', 'nothing'], /nothing: holds no images/],
    ['no labels', [...random, '--dataset/root', 'unsorted'], /unsorted: has no labels.*train\/CLASS/s],
    ['other classes', [...random, '--dataset/root', 'other'], /wavy: is no class of/],
    ['an unknown option', [...random, ...data, '--bank-limit', '3'], /did you mean --bank_limit/],
  ])('%s', async (_, args, message) => {
    const { code, err, out } = await run(...args);
    expect(err).toMatch(message);
    expect(err).not.toMatch(/\n\s+at /);
    expect([code, out]).toEqual([2, '']);
  });
});
