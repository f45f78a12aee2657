/**
 * `scrl show match`: where a backbone finds a point again. Left the image with the point, in the middle the other view with
 * the cell whose features are most similar (cross) and, when both are views of one image, the true place (ring), right the
 * similarity of all cells.
 */

import { UserError } from '../../core/errors.js';
import type { LiveLog } from '../../core/log.js';
import { writeFileAtomic } from '../../core/replace.js';
import { imageFiles } from '../../data/image-files.js';
import { cosineSimilarities } from '../../evaluation/cosine.js';
import { encodePng } from '../../image/encode.js';
import { STRIDES } from '../../models/backbone/resnet.js';
import { BOX_COLOURS, Canvas, type Picture } from '../../report/canvas.js';
import { cellCentre, enlargeMap, heatPicture, sampleMap, stretch } from '../../report/feature-map.js';
import { readWeights, type WeightsSettings, withEmbedder } from '../shared/open-embedder.js';
import { inView, type Point, renderViews, squareAround, viewAround } from './squares.js';

export interface ShowMatchOptions extends WeightsSettings {
  readonly layer: keyof typeof STRIDES;
  readonly file: string;
  /** Absent: an augmented view of the same image. */
  readonly other?: string | undefined;
  /** Pixel of the upright image: column and row. */
  readonly at: Point;
  /** PNG file. */
  readonly out: string;
  readonly log: LiveLog;
}

const GAP = 8;
const CROSS_COLOUR = BOX_COLOURS[3];
const RING_COLOUR = BOX_COLOURS[1];

export async function showMatch(options: ShowMatchOptions): Promise<void> {
  const { file, other, layer, size, out, seed, log } = options;
  const weights = await readWeights(options, log);
  const images = await imageFiles('', other === undefined ? [file] : [file, other]);
  const [width, height] = [images.width(0), images.height(0)];
  const [column, row] = options.at;
  if (column >= width || row >= height) {
    throw new UserError(`lies outside of the image of ${width} x ${height} pixels`, {
      where: file,
      key: '--at',
      value: options.at,
    });
  }
  const point: Point = [column + 0.5, row + 0.5];
  const left = squareAround(width, height, point);
  const right =
    other === undefined
      ? viewAround(seed, width, height, point)
      : squareAround(images.width(1), images.height(1), [images.width(1) / 2, images.height(1) / 2]);
  const [leftView] = await renderViews(images, 0, [left], size);
  const [rightView] = await renderViews(images, images.count - 1, [right], size);

  const stride = STRIDES[layer];
  const asked = inView(point, left, size);
  const [similarity, cells] = await withEmbedder(
    weights,
    { ...options, batch: 1 },
    images,
    log,
    async (embedder) => {
      const { channels, shape } = embedder;
      const query = sampleMap(await embedder.run(leftView), channels, stride, asked);
      const map = await embedder.run(rightView);
      const found = new Float32Array(shape[0] * shape[1]);
      const compare = cosineSimilarities(query, 1, map, found.length, channels);
      compare(0, 1, (_, cell, value) => {
        found[cell] = value;
      });
      return [found, shape[1]];
    },
  );
  const bestCell = similarity.indexOf(similarity.reduce((max, value) => Math.max(max, value), -1));
  const best = cellCentre(bestCell, cells, stride);
  const truth = other === undefined ? inView(point, right, size) : undefined;

  const rightPicture = { data: rightView, width: size, height: size };
  const panels = [
    panel({ data: leftView, width: size, height: size }, asked),
    panel(rightPicture, best, truth),
    panel(
      heatPicture(enlargeMap(stretch(similarity, 1, 0, 100), 1, stride, size), rightPicture),
      best,
      truth,
    ),
  ];
  const canvas = new Canvas(panels.length * (size + GAP) + GAP, size + 2 * GAP);
  for (const [i, picture] of panels.entries()) canvas.paste(picture, GAP + i * (size + GAP), GAP);
  await writeFileAtomic(out, await encodePng(canvas));
  const apart = truth && Math.hypot(best[0] - truth[0], best[1] - truth[1]);
  const verdict = apart === undefined ? '' : `, ${apart.toFixed(0)} pixels from the true place (ring)`;
  log.info(
    `${out}: the most similar cell of ${layer} (cross) has cosine ${similarity[bestCell].toFixed(3)}${verdict}`,
  );
}

/** A picture with a cross, and a ring if there is a place for it. */
function panel(picture: Picture, cross: Point, ring?: Point): Picture {
  const canvas = new Canvas(picture.width, picture.height);
  canvas.paste(picture, 0, 0);
  if (ring !== undefined) canvas.ring(ring, RING_COLOUR);
  canvas.cross(cross, CROSS_COLOUR);
  return canvas;
}
