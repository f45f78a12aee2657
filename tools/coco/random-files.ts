/** The text of random COCO files, piece by piece. Object i is the same in all of them, whatever else is written. */

import { RandomStream } from '../../src/core/rng.js';
import { countsToString } from '../../src/pycocotools/mask/index.js';

export interface FileSizes {
  images: number;
  objects: number;
  detections: number;
  seed: number;
}

/** As many as COCO has; ids with gaps, as there. */
const CATEGORIES = Array.from({ length: 80 }, (_, i) => 1 + i + Math.floor(i / 9));
const PIECE = 1000;

interface Thing {
  image: number;
  width: number;
  height: number;
  category: number;
  /** An ellipse. */
  box: [x: number, y: number, w: number, h: number];
}

export function* datasetText({ images, objects, seed }: FileSizes): Generator<string> {
  yield '{"info":{"description":"random objects"},"images":[';
  yield* pieces(images, (i) => {
    const [width, height] = imageSize(seed, i);
    const name = String(i + 1).padStart(12, '0');
    return JSON.stringify({
      license: 1,
      file_name: `${name}.jpg`,
      height,
      width,
      date_captured: '2013-11-14 17:02:52',
      id: i + 1,
    });
  });
  yield '],"annotations":[';
  yield* pieces(objects, (i) => JSON.stringify(truth(seed, i, images)));
  yield '],"categories":[';
  yield CATEGORIES.map((id) => JSON.stringify({ supercategory: 'thing', id, name: `category ${id}` })).join(
    ',\n',
  );
  yield ']}\n';
}

export function* resultsText(sizes: FileSizes, type: 'bbox' | 'segm'): Generator<string> {
  yield '[';
  yield* pieces(sizes.detections, (i) => JSON.stringify(detection(sizes, i, type)));
  yield ']\n';
}

function* pieces(count: number, entry: (i: number) => string): Generator<string> {
  for (let first = 0; first < count; first += PIECE) {
    const last = Math.min(count, first + PIECE);
    let text = '';
    for (let i = first; i < last; i++) text += `${entry(i)}${i + 1 < count ? ',' : ''}\n`;
    yield text;
  }
}

function imageSize(seed: number, image: number): [width: number, height: number] {
  const stream = new RandomStream(seed, 'coco/images', 0, image);
  return stream.chance(0.75) ? [640, stream.integer(360, 500)] : [stream.integer(360, 500), 640];
}

function thing(
  seed: number,
  purpose: string,
  i: number,
  images: number,
): { thing: Thing; stream: RandomStream } {
  const stream = new RandomStream(seed, purpose, 0, i);
  const image = stream.integer(0, images);
  const [width, height] = imageSize(seed, image);
  const size = stream.chance(0.4) ? [6, 40] : [30, 320];
  const w = Math.min(width, stream.between(size[0], size[1]));
  const h = Math.min(height, w * stream.between(0.6, 1.6));
  const box: Thing['box'] = [stream.between(0, width - w), stream.between(0, height - h), w, h];
  // A few categories are frequent, as in COCO.
  const category = CATEGORIES[Math.floor(80 * stream.uniform() ** 2)];
  return { thing: { image, width, height, category, box }, stream };
}

function truth(seed: number, i: number, images: number): unknown {
  const { thing: object, stream } = thing(seed, 'coco/objects', i, images);
  const [x, y, w, h] = object.box;
  const crowd = stream.chance(0.01);
  const corners = stream.integer(8, 44);
  const polygon = Array.from({ length: corners }, (_, k) => {
    const angle = (2 * Math.PI * k) / corners;
    const r = stream.between(0.85, 1);
    return [
      hundredths(x + (w / 2) * (1 + r * Math.cos(angle))),
      hundredths(y + (h / 2) * (1 + r * Math.sin(angle))),
    ];
  }).flat();
  return {
    segmentation: crowd ? { counts: ellipseRuns(object), size: [object.height, object.width] } : [polygon],
    area: w * h * 0.7,
    iscrowd: crowd ? 1 : 0,
    image_id: object.image + 1,
    bbox: object.box.map(hundredths),
    category_id: object.category,
    id: 900_000 + i,
  };
}

/** Every tenth detection is near an object; the others are anywhere. Digits as float32 has them. */
function detection({ objects, images, seed }: FileSizes, i: number, type: 'bbox' | 'segm'): unknown {
  const stream = new RandomStream(seed, 'coco/detections', 0, i);
  const hit = objects > 0 && stream.chance(0.1);
  const { thing: object } = hit
    ? thing(seed, 'coco/objects', stream.integer(0, objects), images)
    : thing(seed, 'coco/misses', i, images);
  const jitter = hit ? 0.1 : 0;
  const box = object.box.map((value, c) =>
    Math.fround(value + stream.between(-jitter, jitter) * object.box[2 + (c & 1)]),
  ) as Thing['box'];
  const score = Math.fround(hit ? stream.between(0.2, 1) : stream.uniform() ** 3);
  const entry = { image_id: object.image + 1, category_id: object.category };
  if (type === 'bbox') return { ...entry, bbox: box, score };
  const counts = countsToString(ellipseRuns({ ...object, box }));
  return { ...entry, score, segmentation: { size: [object.height, object.width], counts } };
}

/** Runs of the ellipse that fits the box. */
function ellipseRuns({ width, height, box: [x, y, w, h] }: Thing): number[] {
  const runs: number[] = [];
  let at = 0;
  for (let column = Math.max(0, Math.ceil(x)); column < Math.min(width, x + w); column++) {
    const half = (h / 2) * Math.sqrt(Math.max(0, 1 - ((column + 0.5 - x) / (w / 2) - 1) ** 2));
    const top = Math.max(0, Math.round(y + h / 2 - half));
    const bottom = Math.min(height, Math.round(y + h / 2 + half));
    if (bottom <= top) continue;
    runs.push(column * height + top - at, bottom - top);
    at = column * height + bottom;
  }
  runs.push(width * height - at);
  return runs;
}

function hundredths(value: number): number {
  return Math.round(value * 100) / 100;
}
