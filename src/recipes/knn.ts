/** How well frozen features tell classes apart, by their nearest neighbours; nothing is trained. */

import { constants } from 'node:buffer';
import { totalmem } from 'node:os';
import { type ResNetName, resnetChannels } from '../core/architectures.js';
import { formatBytes } from '../core/clock.js';
import { counted } from '../core/counted.js';
import { UserError } from '../core/errors.js';
import { type LiveLog, SILENT } from '../core/log.js';
import { wholeBlocks } from '../data/center-crops.js';
import { hasSplit, type ImageDataset } from '../data/dataset.js';
import type { Skipped } from '../data/list-files.js';
import { type FeatureBatch, type Features, soundRows } from '../evaluation/features/feature-table.js';
import { chooseBank, knnAccuracies } from '../evaluation/knn.js';
import { Progress } from '../report/progress.js';
import { nameFiles } from './shared/name-files.js';
import { readWeights, type WeightsOptions, withDefaults, withEmbedder } from './shared/open-embedder.js';
import { openImages } from './shared/open-images.js';

export interface KnnOptions extends WeightsOptions {
  /** Folder with `train/CLASS/` and `val/CLASS/`, or with class folders: then each image is left out in turn. */
  readonly root: string;
  /** Numbers of neighbours, each measured; default 20 and 200. */
  readonly ks?: readonly number[];
  /** T; a neighbour of cosine similarity s votes with weight exp(s / T). Default 0.07. */
  readonly temperature?: number;
  /** At most so many images in the bank, drawn by the seed. */
  readonly bankLimit?: number | undefined;
  readonly log?: LiveLog;
}

export interface KnnReport {
  /** By number of neighbours, percent. */
  readonly top1: Readonly<Record<number, number>>;
  readonly top5: Readonly<Record<number, number>>;
  /** Images that were asked about, and that voted. */
  readonly images: number;
  readonly bank: number;
  /** Files that cannot be decoded. */
  readonly failed: number;
  readonly classes: number;
  /** Each image against all others, as there is no `val`. */
  readonly leaveOneOut: boolean;
  readonly temperature: number;
  /** The file, or the seed of random weights. */
  readonly weights: string;
  readonly network: ResNetName;
}

/** The images that vote, and those that are asked about; both labelled by the bank's classes. */
interface Split {
  readonly bank: ImageDataset;
  readonly classes: readonly string[];
  /** Absent: leave one out. */
  readonly queries?: ImageDataset;
}

const WORTH_SAYING = 1e9;

/** @throws UserError when there are no labels, the features do not fit into memory, or nothing is left to compare */
export async function knn(given: KnnOptions): Promise<KnnReport> {
  const options = withDefaults(given);
  const { ks = [20, 200], temperature = 0.07, bankLimit, log = SILENT } = options;
  const weights = await readWeights(options, log);
  const { bank, queries, classes } = await openSplit(options.root, log);
  const order = bankLimit === undefined ? undefined : chooseBank(bank.count, bankLimit, options.seed);
  const bankCount = order?.length ?? bank.count;
  const total = bankCount + (queries?.count ?? 0);
  checkMemory(total, resnetChannels(weights.network), log);

  const failures: Skipped[] = [];
  const [bankFeatures, queryFeatures] = await withEmbedder(
    weights,
    { ...options, batch: wholeBlocks(Math.min(options.batch, total)), layer: 'pooled' },
    bank.images,
    log,
    async (embedder) => {
      const progress = new Progress(log, { label: 'features', total, unit: 'images' });
      const after = (before: number) => (done: number, batch: FeatureBatch) => {
        failures.push(...batch.failures);
        progress.update(before + done);
      };
      const first = await embedder.embed(bank, after(0), order);
      const second = queries && (await embedder.embed(queries, after(bankCount)));
      progress.finish();
      return [first, second];
    },
  );
  const known = soundRows(bankFeatures);
  const asked = queryFeatures && soundRows(relabelled(queryFeatures, queries?.classes ?? [], classes));
  const failed = known.failed + (asked?.failed ?? 0);
  if (failed > 0)
    log.warn(`${counted(failed, 'file')} cannot be decoded, and left out${nameFiles(failures)}`);
  const { labels: queryLabels, data: queryData } = asked ?? known;
  const voters = known.labels.length - (asked === undefined ? 1 : 0);
  if (voters < 1 || queryLabels.length < 1) {
    throw new UserError('too few images can be decoded to compare any', { where: options.root });
  }
  for (const k of ks.filter((k) => k > voters))
    log.warn(`k = ${k} is more than the bank holds: all ${voters} vote`);

  const progress = new Progress(log, { label: 'neighbours', total: queryLabels.length, unit: 'images' });
  const results = knnAccuracies(
    {
      bank: known.data,
      bankLabels: known.labels,
      queries: queryData,
      queryLabels,
      classes: classes.length,
      temperature,
      excludeSelf: asked === undefined,
      onProgress: (done) => progress.update(done),
    },
    ks,
  );
  progress.finish();

  const byK = (key: 'top1' | 'top5') => Object.fromEntries(ks.map((k, i) => [k, results[i][key]]));
  return {
    top1: byK('top1'),
    top5: byK('top5'),
    images: queryLabels.length,
    bank: known.labels.length,
    failed,
    classes: classes.length,
    leaveOneOut: asked === undefined,
    temperature,
    weights: weights.name,
    network: weights.network,
  };
}

/** Bank `train` and queries `val`, or one folder for both. */
async function openSplit(root: string, log: LiveLog): Promise<Split> {
  const bank = await openImages({ root, split: 'train' }, log);
  const classes = requireClasses(bank);
  if (!(await hasSplit(root, 'val'))) {
    log.info('no `val` folder: each image is compared with all others (leave one out)');
    return { bank, classes };
  }
  const queries = await openImages({ root, split: 'val' }, log);
  const unknown = requireClasses(queries).find((name) => !classes.includes(name));
  if (unknown !== undefined) {
    throw new UserError(`is no class of ${bank.root}, so nothing there can be its neighbour`, {
      where: queries.root,
      key: unknown,
      remedy: 'give both folders the same classes',
    });
  }
  return { bank, classes, queries };
}

function requireClasses({ root, classes }: ImageDataset): readonly string[] {
  if (classes !== undefined) return classes;
  throw new UserError('has no labels: nearest neighbours need class folders', {
    where: root,
    remedy:
      'sort the images into a folder for each class, at least two and no image beside them: train/CLASS/*.jpg, val/CLASS/*.jpg',
  });
}

function checkMemory(count: number, channels: number, log: LiveLog): void {
  const bytes = count * channels * Float32Array.BYTES_PER_ELEMENT;
  if (bytes > Math.min(totalmem(), constants.MAX_LENGTH)) {
    throw new UserError(
      `the features of ${count} images take ${formatBytes(bytes)}, more than there is memory`,
      {
        key: '--bank_limit',
        remedy: `compare with fewer images: --bank_limit ${Math.floor(count / 10)}`,
      },
    );
  }
  if (bytes > WORTH_SAYING) log.info(`the features of ${count} images take ${formatBytes(bytes)} of memory`);
}

/** Labels by the classes of the bank: a folder of validation images may lack some. */
function relabelled(features: Features, own: readonly string[], classes: readonly string[]): Features {
  const map = own.map((name) => classes.indexOf(name));
  return { ...features, labels: features.labels.map((label) => (label < 0 ? label : map[label])) };
}
