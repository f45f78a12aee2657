/** A folder of images, with or without classes, before a backbone is pretrained on it. */

import type { LiveLog } from '../../core/log.js';
import { hasSplit, type ImageDataset, openDataset } from '../../data/dataset.js';
import { withHeaderProgress } from '../shared/header-progress.js';
import { checkPictures, sizesText } from './pictures.js';
import { type DataReport, finding, medianOf } from './report.js';

/** Of `one_machine`. */
const RECIPE = { name: 'one_machine', batch: 32, side: 128, epochs: 100 };
/** The fewest steps after which we saw a backbone that is better than random weights (docs/results.md), with some to spare. */
const FEW_STEPS = 1000;
/** Images from which on the paper's recipe is meant. */
const MANY = 200_000;

/** @throws UserError when there is no usable image at all */
export async function checkFolder(root: string, log: LiveLog): Promise<DataReport> {
  const dataset = await withHeaderProgress(log, (onProgress) =>
    openDataset({ root, log, rescan: true, onProgress }),
  );
  const { images, skipped, classes } = dataset;
  const unreadable = skipped.map(({ path, reason }) => `${path}: ${reason}`);
  return {
    where: dataset.root,
    images: images.count,
    facts: [
      `${images.count} images, ${sizesText(images)}`,
      ...(classes === undefined ? ['no classes'] : [balanceText(dataset)]),
    ],
    findings: [
      ...finding(
        'unreadable',
        'files that cannot be used',
        unreadable,
        'they are left out; convert or delete them',
      ),
      ...(await checkPictures(images, log)),
      ...finding(
        'lonely',
        'classes of a single image',
        lonely(dataset),
        'they cannot be both learned and tested',
      ),
    ],
    advice: await advice(root, dataset),
  };
}

function countsOf({ classes = [], images }: ImageDataset): number[] {
  const counts = classes.map(() => 0);
  for (const label of images.columns.labels) if (label >= 0) counts[label]++;
  return counts;
}

function balanceText(dataset: ImageDataset): string {
  const { classes = [] } = dataset;
  const counts = countsOf(dataset);
  const order = classes.map((name, i) => ({ name, count: counts[i] })).sort((a, b) => b.count - a.count);
  const [most, least] = [order[0], order[order.length - 1]];
  const share = (100 * most.count) / dataset.count;
  return `${classes.length} classes; the largest is ${most.name} with ${most.count} images (always guessing it is right in ${share.toFixed(1)} %), the smallest ${least.name} with ${least.count}`;
}

function lonely(dataset: ImageDataset): string[] {
  return (dataset.classes ?? []).filter((_, i) => countsOf(dataset)[i] === 1);
}

async function advice(root: string, { images, count, classes }: ImageDataset): Promise<string[]> {
  const { name, batch, side, epochs } = RECIPE;
  const steps = Math.floor(count / batch);
  const { widths, heights } = images.columns;
  const shorter = medianOf(widths.map((width, i) => Math.min(width, heights[i])));
  const lines = [
    count >= MANY
      ? `with so many images the paper's recipe makes sense: --config scrl_200ep, on several GPUs; on one machine --config ${name}`
      : `--config ${name}: ${steps} steps an epoch of ${batch} images, ${steps * epochs} in its ${epochs} epochs`,
  ];
  if (steps === 0)
    lines.push(
      `fewer than ${batch} images are no batch: add --train/batch_size_train ${Math.max(2, count)}, and expect little`,
    );
  else if (steps * epochs < FEW_STEPS) {
    lines.push(
      `that is little: we saw nothing learned in fewer than some hundred steps; add --train/max_epochs ${Math.ceil(FEW_STEPS / steps)}, or more images`,
    );
  }
  if (shorter < side) {
    lines.push(
      `half of the images are smaller than its views of ${side} pixels: add --augment/input_size ${shorter < 96 ? 64 : 96}`,
    );
  }
  if (classes !== undefined && !(await hasSplit(root, 'val'))) {
    lines.push('to evaluate with scrl linear, put a part of each class into val/CLASS beside train/CLASS');
  }
  return lines;
}
