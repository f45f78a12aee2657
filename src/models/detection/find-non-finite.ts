/** Where numbers first stop being finite: what a run that has diverged is told besides the loss. */

import { finiteLayers } from '../../ops/finite-layers.js';
import { readOnly, type Tensor } from '../../ops/tf.js';
import { AnchorGrid } from './anchors.js';
import { BOX_SIDE } from './box-head.js';
import { MASK_POOL_SIDE } from './mask-head.js';
import type { Detector } from './networks.js';
import { fedPixels, normalizedPixels, type PixelBatch, pixelInputs, sizeOf } from './pixels.js';
import { fedMatrix, matrixSpecs, matrixValues, poolRegions, pyramidCells } from './region-matrix.js';
import { regionRows } from './regions.js';

/**
 * Compiles the search for the first layer, in the order of the forward pass, that gives something that is not finite. The heads
 * are looked at for one region of each image, all of it: which regions they saw is not known any more. Nothing is changed.
 *
 * @param images of a batch
 * @returns what finds the layer's name in the state dict; undefined when all is finite
 */
export function nonFiniteFinder(
  detector: Detector,
  images: number,
): (batch: PixelBatch) => Promise<string | undefined> {
  const { runtime, module } = detector.store;
  const inputs = { ...pixelInputs(images), ...matrixSpecs('box'), ...matrixSpecs('mask') };
  let names: string[] = [];
  const step = runtime.compile<string, 'finite'>(`detect_find_${images}`, inputs, (fed) => {
    const flags = readOnly(() => finiteLayers(() => forward(detector, fed)));
    names = flags.names;
    return { finite: flags.finite };
  });
  return async (batch) => {
    const { finite } = await step.run({ ...fedPixels(batch), ...wholeImages(batch, images) });
    return names[finite.findIndex((flag) => Number(flag) === 0)]?.replace(`${module}.`, '');
  };
}

function forward(detector: Detector, fed: Record<string, Tensor>): void {
  const { options, rpnHead, boxHead, boxPredictor, maskHead } = detector;
  const maps = detector.features(normalizedPixels(fed.images, fed.sizes, options.weightsStyle), 'training');
  for (const map of Object.values(maps)) rpnHead.forward(map);
  const cells = pyramidCells(maps);
  boxPredictor.forward(boxHead.forward(poolRegions(cells, fedMatrix('box', fed), BOX_SIDE), 'training'));
  maskHead?.forward(poolRegions(cells, fedMatrix('mask', fed), MASK_POOL_SIDE), 'training');
}

/** The region that is all of an image, pooled for both heads. Which anchors there are does not matter. */
function wholeImages(batch: PixelBatch, images: number) {
  const grid = new AnchorGrid(batch.height, batch.width);
  const boxes = Array.from({ length: images }, (_, n) => {
    const { height, width } = sizeOf(batch, n);
    return Float32Array.of(0, 0, width, height);
  });
  return {
    ...matrixValues('box', regionRows(boxes, grid, BOX_SIDE)),
    ...matrixValues('mask', regionRows(boxes, grid, MASK_POOL_SIDE)),
  };
}
