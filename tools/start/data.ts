/** The data of `npm start`: rendered scenes with annotations, and the objects cut out of them. Made once, then kept. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { LiveLog } from '../../src/core/log.js';
import { Progress } from '../../src/report/progress.js';
import { makeShapes } from '../shapes/write.js';

const IMAGES = { train: 560, val: 200 };

export interface StartData {
  /** Scenes: `train/`, `val/`, `annotations/instances_{train,val}.json`. */
  readonly shapes: string;
  /** Objects: `{train,val}/{category}/`. */
  readonly crops: string;
}

/** @param out folder of all that `npm start` makes */
export async function startData(out: string, log: LiveLog): Promise<StartData> {
  const data = { shapes: join(out, 'shapes'), crops: join(out, 'shapes-by-category') };
  if (!existsSync(data.shapes) || !existsSync(data.crops)) await makeData(data, log);
  return data;
}

async function makeData({ shapes, crops }: StartData, log: LiveLog): Promise<void> {
  const progress = new Progress(log, {
    label: 'rendering shapes',
    total: IMAGES.train + IMAGES.val,
    unit: 'images',
  });
  const made = await makeShapes({
    out: shapes,
    classFolders: crops,
    ...IMAGES,
    seed: 0,
    size: 256,
    overwrite: true,
    onProgress: (done) => progress.update(done),
  });
  progress.finish();
  log.info(`${made.train + made.val} images with ${made.objects} objects in ${shapes}`);
}
