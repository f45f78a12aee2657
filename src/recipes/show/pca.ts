/**
 * `scrl show pca`: what a backbone tells apart. Each image beside its feature map, whose first three principal components,
 * over the cells of all images together, are red, green and blue: cells of one colour have like features, in all images.
 */

import { counted } from '../../core/counted.js';
import type { LiveLog } from '../../core/log.js';
import { writeFileAtomic } from '../../core/replace.js';
import { imageFiles } from '../../data/image-files.js';
import { principalComponents } from '../../evaluation/pca.js';
import { centerCropWindow } from '../../image/crops.js';
import { encodePng } from '../../image/encode.js';
import { STRIDES } from '../../models/backbone/resnet.js';
import { Canvas } from '../../report/canvas.js';
import { colourPicture, enlargeMap, stretch } from '../../report/feature-map.js';
import { readWeights, type WeightsSettings, withEmbedder } from '../shared/open-embedder.js';
import { renderViews } from './squares.js';

export interface ShowPcaOptions extends WeightsSettings {
  readonly layer: keyof typeof STRIDES;
  readonly files: readonly string[];
  /** PNG file. */
  readonly out: string;
  readonly log: LiveLog;
}

const COMPONENTS = 3;
/** Outliers would leave all other cells one colour. */
const [LOW, HIGH] = [2, 98];
const GAP = 8;
/** Up to this many images stand below each other. */
const MOST_ROWS = 4;

export async function showPca(options: ShowPcaOptions): Promise<void> {
  const { files, layer, size, out, log } = options;
  const weights = await readWeights(options, log);
  const images = await imageFiles('', files);
  const views: Uint8Array[] = [];
  for (let i = 0; i < images.count; i++) {
    const crop = centerCropWindow(images.width(i), images.height(i), size, size);
    views.push(...(await renderViews(images, i, [crop], size)));
  }
  const [maps, channels] = await withEmbedder(
    weights,
    { ...options, batch: 1 },
    images,
    log,
    async (embedder) => {
      const found: Float32Array[] = [];
      for (const view of views) found.push(await embedder.run(view));
      return [found, embedder.channels];
    },
  );

  const rows = new Float32Array(maps.reduce((sum, map) => sum + map.length, 0));
  maps.forEach((map, i) => {
    rows.set(map, i * map.length);
  });
  const { projected, shares } = principalComponents(rows, channels, COMPONENTS);
  const colours = stretch(projected, COMPONENTS, LOW, HIGH);
  const perMap = colours.length / maps.length;
  const columns = Math.ceil(views.length / MOST_ROWS);
  const lines = Math.ceil(views.length / columns);
  const canvas = new Canvas(columns * 2 * (size + GAP) + GAP, lines * (size + GAP) + GAP);
  for (const [i, data] of views.entries()) {
    const left = GAP + (i % columns) * 2 * (size + GAP);
    const top = GAP + Math.floor(i / columns) * (size + GAP);
    const map = enlargeMap(colours.subarray(i * perMap, (i + 1) * perMap), COMPONENTS, STRIDES[layer], size);
    canvas.paste({ data, width: size, height: size }, left, top);
    canvas.paste(colourPicture(map, size), left + size + GAP, top);
  }
  await writeFileAtomic(out, await encodePng(canvas));
  const percent = Array.from(shares, (share) => `${(100 * share).toFixed(1)} %`).join(', ');
  log.info(
    `${out}: ${counted(views.length, 'image')}; red, green, blue: ${percent} of the variance of ${layer}`,
  );
}
