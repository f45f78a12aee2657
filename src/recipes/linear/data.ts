/** The labelled images of an evaluation: training and validation split, or only a part of the labels. */

import { UserError } from '../../core/errors.js';
import type { LiveLog } from '../../core/log.js';
import { RandomStream } from '../../core/rng.js';
import { hasSplit, type ImageDataset } from '../../data/dataset.js';
import { NO_LABEL } from '../../data/image-table.js';
import { openImages } from '../shared/open-images.js';

export interface LabelledData {
  readonly train: ImageDataset;
  readonly val: ImageDataset;
  readonly classes: readonly string[];
}

/** Why there is nothing to evaluate with, or undefined. */
export async function whyNotEvaluable(root: string, classes: readonly string[] | undefined) {
  if (classes === undefined) return 'the images have no class folders';
  return (await hasSplit(root, 'val')) ? undefined : `there is no \`val\` folder beside \`train\` in ${root}`;
}

/** @throws UserError when there are no labels, no validation images, or other classes in them */
export async function openLabelled(root: string | null, log: LiveLog): Promise<LabelledData> {
  if (root === null) {
    throw new UserError('no images are given', {
      key: 'dataset/root',
      remedy: 'add --dataset/root FOLDER, with class folders in train/ and val/',
    });
  }
  const train = await openImages({ root, split: 'train' }, log);
  const problem = await whyNotEvaluable(root, train.classes);
  if (problem !== undefined || train.classes === undefined) {
    throw new UserError(`cannot be evaluated with: ${problem}`, {
      where: root,
      key: 'dataset/root',
      remedy: 'give a folder with train/CLASS/*.jpg and val/CLASS/*.jpg, as ImageNet has',
    });
  }
  const val = await openImages({ root, split: 'val' }, log);
  requireSameClasses(train, val);
  return { train, val, classes: train.classes };
}

/** Labels are numbers: they mean the same only when the folders have the same names. */
export function requireSameClasses(train: ImageDataset, val: ImageDataset): void {
  const [a, b] = [train.classes ?? [], val.classes ?? []];
  if (a.length === b.length && a.every((name, i) => name === b[i])) return;
  const only = (names: readonly string[], others: readonly string[]) =>
    names
      .filter((name) => !others.includes(name))
      .slice(0, 5)
      .join(', ') || 'none';
  throw new UserError('has other classes than the training images', {
    where: val.root,
    remedy: `only in train: ${only(a, b)}; only in val: ${only(b, a)}`,
  });
}

/**
 * The images whose labels may be used: a share of every class, at least one image, drawn for each class from a stream of its
 * own; so 1 % is part of 10 %.
 *
 * @returns indices into the table, ascending
 */
export function labelledSubset({ images, count }: ImageDataset, share: number, seed: number): Uint32Array {
  const byClass = new Map<number, number[]>();
  for (let i = 0; i < count; i++) {
    const label = images.label(i);
    if (label === NO_LABEL) continue;
    const members = byClass.get(label) ?? [];
    members.push(i);
    byClass.set(label, members);
  }
  if (share === 1) return Uint32Array.from([...byClass.values()].flat()).sort();
  const chosen = [...byClass].flatMap(([label, members]) => {
    const shuffled = new RandomStream(seed, 'labelled images of a class', label).shuffle(
      Uint32Array.from(members),
    );
    return [...shuffled.subarray(0, Math.max(1, Math.round(share * members.length)))];
  });
  return Uint32Array.from(chosen).sort();
}
