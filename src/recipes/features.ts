/**
 * The features of images, in a file that NumPy or any reader of safetensors opens.
 *
 * Rows are written as they are computed, so memory does not grow with the images, but for their names. A file that
 * cannot be decoded leaves a row of zeros and is marked: the other rows keep their places.
 */

import { stat } from 'node:fs/promises';
import { basename, dirname, extname } from 'node:path';
import type { Layer, ResNetName } from '../core/architectures.js';
import { bytesOf, elementCount, hostTensor } from '../core/array.js';
import { formatBytes } from '../core/clock.js';
import { counted } from '../core/counted.js';
import { requireSpace } from '../core/disk-space.js';
import { UserError } from '../core/errors.js';
import { durably } from '../core/fs.js';
import { type LiveLog, SILENT } from '../core/log.js';
import { replaceWhole, requireReplaceable } from '../core/replace.js';
import { wholeBlocks } from '../data/center-crops.js';
import { hasSplit } from '../data/dataset.js';
import { imageFiles } from '../data/image-files.js';
import type { ImageTable } from '../data/image-table.js';
import { type Embedder, featureShape } from '../evaluation/features/embed.js';
import { type NpzEntry, writeNpz } from '../formats/npz.js';
import { writeSafetensors } from '../formats/safetensors.js';
import { byteLength, type StreamedTensor, type WritableTensor } from '../formats/streamed-tensor.js';
import { Progress } from '../report/progress.js';
import {
  readWeights,
  type Weights,
  type WeightsOptions,
  withDefaults,
  withEmbedder,
} from './shared/open-embedder.js';
import { openImages } from './shared/open-images.js';

export interface FeaturesOptions extends WeightsOptions {
  /** Default `pooled`. */
  readonly layer?: Layer;
  /** A folder, an image, or a JSON file in COCO's form. */
  readonly input: string;
  /** Folder of the images of a JSON file. */
  readonly root?: string | undefined;
  /** `.npz` or `.safetensors` */
  readonly output: string;
  /** Replace an existing file. */
  readonly overwrite?: boolean;
  /** Gives up; nothing is left behind. */
  readonly signal?: AbortSignal | undefined;
  readonly log?: LiveLog;
}

export interface FeaturesReport {
  readonly output: string;
  /** [N, C] or [N, H, W, C] */
  readonly shape: readonly number[];
  /** Files that could not be decoded: their rows are zeros. */
  readonly failed: number;
  /** The file, or the seed of random weights. */
  readonly weights: string;
  readonly network: ResNetName;
}

type Settings = ReturnType<typeof settingsOf>;

function settingsOf(options: FeaturesOptions) {
  return { layer: 'pooled', overwrite: false, log: SILENT, ...withDefaults(options) } as const;
}

/** Images in the order of the rows. */
interface Input {
  readonly images: ImageTable;
  readonly classes?: readonly string[];
}

/** What is written beside the features. */
interface Texts {
  readonly files: readonly string[];
  readonly classes?: readonly string[];
  readonly about: Readonly<Record<string, string>>;
}

/** Mistakes in files are listed up to this number. */
const MOST_LISTED = 20;
/** Headers of either format, bytes. */
const HEADERS = 4096;

/** @throws UserError */
export async function features(given: FeaturesOptions): Promise<FeaturesReport> {
  const options = settingsOf(given);
  const { layer, output, overwrite, size, log } = options;
  const kind = kindOf(output);
  await requireReplaceable(output, { overwrite });
  const weights = await readWeights(options, log);
  const { images, classes } = await openInput(options);
  const shape = [images.count, ...featureShape({ network: weights.network, side: size, layer })];
  const texts: Texts = {
    files: Array.from({ length: images.count }, (_, i) => images.name(i)),
    ...(classes && { classes }),
    about: aboutOf(weights, options),
  };
  const bytes = fileBytes(kind, shape, texts);
  log.info(`${output}: features float32 [${shape.join(', ')}], ${formatBytes(bytes)}`);
  await requireSpace(dirname(output), bytes, 'write to another disk');

  const batch = wholeBlocks(Math.min(options.batch, images.count));
  return withEmbedder(weights, { ...options, batch }, images, log, async (embedder) => {
    const failed = new Uint8Array(images.count);
    const pieces = rows(embedder, images, failed, options);
    const tensors = new Map<string, WritableTensor>([['features', { dtype: 'float32', shape, pieces }]]);
    if (classes !== undefined) tensors.set('labels', hostTensor('int32', [images.count], labelsOf(images)));
    // Written behind the features in both formats, as it is known only then.
    tensors.set('failed', later('bool', failed));
    await replaceWhole(output, options, (temporary) =>
      durably(temporary, (file) =>
        kind === 'npz'
          ? writeNpz(file, new Map<string, NpzEntry>([...textArrays(texts), ...tensors]))
          : writeSafetensors(file, tensors, metadataOf(texts)),
      ),
    );
    const count = failed.reduce((sum, value) => sum + value, 0);
    if (count > 0)
      log.warn(
        `${counted(count, 'file')} could not be decoded: zeros in the output, where \`failed\` marks them`,
      );
    return { output, shape, failed: count, weights: weights.name, network: weights.network };
  });
}

function kindOf(output: string): 'npz' | 'safetensors' {
  const suffix = extname(output).toLowerCase();
  if (suffix === '.npz' || suffix === '.safetensors') return suffix === '.npz' ? 'npz' : 'safetensors';
  throw new UserError('must end in .npz or .safetensors', { key: 'OUT', value: output });
}

async function openInput({ input, root, log }: Settings): Promise<Input> {
  const status = await stat(input).catch((error: unknown) => {
    throw new UserError('there is no such file or folder', { where: input, cause: error });
  });
  const isList = status.isFile() && extname(input).toLowerCase() === '.json';
  if (isList !== (root !== undefined)) {
    throw isList
      ? new UserError('lists images of which folder?', { where: input, remedy: 'add --dataset/root FOLDER' })
      : new UserError('goes with a JSON file in the form of COCO only', {
          key: '--dataset/root',
          value: root,
          remedy: `leave it out: the images of ${input} are taken`,
        });
  }
  if (status.isFile() && !isList) {
    return { images: await imageFiles(dirname(input), [basename(input)]) };
  }
  if (!isList && ((await hasSplit(input, 'train')) || (await hasSplit(input, 'val')))) {
    throw new UserError('holds splits (train, val, test), of which one can be taken', {
      where: input,
      remedy: `give one of them, such as ${input}/val`,
    });
  }
  const dataset = await openImages(root === undefined ? { root: input } : { root, annotations: input }, log);
  list(dataset.skipped, 'it has no row', log);
  return { images: dataset.images, ...(dataset.classes && { classes: dataset.classes }) };
}

/** @param failed [N] receives 1 where a file cannot be decoded */
async function* rows(
  embedder: Embedder,
  images: ImageTable,
  failed: Uint8Array,
  { log, signal }: Settings,
): AsyncGenerator<Uint8Array> {
  const width = elementCount(embedder.shape);
  const progress = new Progress(log, { label: 'features', total: images.count, unit: 'images' });
  const reasons = new Map<string, string>();
  let done = 0;
  for await (const { features: data, indices, sound, failures } of embedder.features(images)) {
    signal?.throwIfAborted();
    for (const { path, reason } of failures) reasons.set(path, reason);
    for (const [i, image] of indices.entries()) {
      if (sound[i]) continue;
      data.fill(0, i * width, (i + 1) * width);
      failed[image] = 1;
    }
    yield bytesOf(hostTensor('float32', [indices.length, ...embedder.shape], data));
    done += indices.length;
    progress.update(done);
  }
  progress.finish();
  const found = [...reasons].map(([path, reason]) => ({ path, reason }));
  list(found, 'its row is zeros', log);
}

/** A tensor whose elements are asked for when it is written. */
function later(dtype: 'bool', data: Uint8Array): StreamedTensor {
  async function* pieces() {
    yield data;
  }
  return { dtype, shape: [data.length], pieces: pieces() };
}

function labelsOf(images: ImageTable): Int32Array {
  return Int32Array.from({ length: images.count }, (_, i) => images.label(i));
}

function aboutOf({ name, network }: Weights, { layer, size }: Settings): Record<string, string> {
  return {
    weights: name,
    network,
    layer,
    size: String(size),
    layout: layer === 'pooled' ? '[N, C]' : '[N, H, W, C]',
    written_by: 'scrl features',
  };
}

/** Texts as arrays, for NumPy. */
function textArrays({ files, classes, about }: Texts): Map<string, readonly string[]> {
  const arrays = new Map([['files', files]]);
  if (classes !== undefined) arrays.set('classes', classes);
  return arrays.set('about', [JSON.stringify(about)]);
}

/** Texts as metadata, for safetensors. */
function metadataOf({ files, classes, about }: Texts): Map<string, string> {
  const metadata = new Map(Object.entries(about));
  metadata.set('files', JSON.stringify(files));
  if (classes !== undefined) metadata.set('classes', JSON.stringify(classes));
  return metadata;
}

/** Of the file to come, bytes; rounded up. */
function fileBytes(kind: 'npz' | 'safetensors', shape: readonly number[], texts: Texts): number {
  const [count] = shape;
  const arrays = byteLength({ dtype: 'float32', shape }) + count + (texts.classes ? 4 * count : 0);
  const characters =
    kind === 'npz'
      ? 4 * [...textArrays(texts)].reduce((sum, [, lines]) => sum + lines.length * longest(lines), 0)
      : [...metadataOf(texts).values()].reduce(
          (sum, text) => sum + Buffer.byteLength(JSON.stringify(text)),
          0,
        );
  return arrays + characters + HEADERS;
}

function longest(texts: readonly string[]): number {
  return texts.reduce((max, text) => Math.max(max, text.length), 1);
}

function list(files: readonly { path: string; reason: string }[], consequence: string, log: LiveLog): void {
  for (const { path, reason } of files.slice(0, MOST_LISTED)) log.warn(`${path}: ${reason}; ${consequence}`);
  if (files.length > MOST_LISTED) log.warn(`... and ${files.length - MOST_LISTED} more`);
}
