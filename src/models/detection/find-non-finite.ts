/** Where numbers first stop being finite: what a run that has diverged is told besides the loss. */

import { finiteLayers } from '../../ops/finite-layers.js';
import { readOnly, type Tensor } from '../../ops/tf.js';
import type { Detector } from './networks.js';
import { fedPixels, normalizedPixels, type PixelBatch, pixelInputs } from './pixels.js';

/**
 * The first layer, in the order of the forward pass, that gives something that is not finite for these images. Looks at
 * backbone, pyramid and RPN; of the heads, which need regions, at the weights. Nothing is changed.
 *
 * @returns a name of the state dict: of a layer, or a weight of the heads; undefined when all is finite
 */
export async function findNonFinite(detector: Detector, batch: PixelBatch): Promise<string | undefined> {
  const { runtime } = detector.store;
  const images = batch.sizes.length / 2;
  let names: string[] = [];
  const step = runtime.compile<string, 'finite'>(`detect_find_${images}`, pixelInputs(images), (fed) => {
    const flags = readOnly(() => finiteLayers(() => forward(detector, fed)));
    names = flags.names;
    return { finite: flags.finite };
  });
  const { finite } = await step.run(fedPixels(batch));
  const layer = names[finite.findIndex((flag) => Number(flag) === 0)];
  return layer?.replace(`${detector.store.module}.`, '') ?? (await badHeadWeight(detector));
}

function forward(detector: Detector, { images, sizes }: Record<string, Tensor>): void {
  const maps = detector.features(normalizedPixels(images, sizes, detector.options.weightsStyle), 'training');
  for (const map of Object.values(maps)) detector.rpnHead.forward(map);
}

async function badHeadWeight({ store }: Detector): Promise<string | undefined> {
  const weights = store.entries.filter(({ key }) => key.startsWith('roi_heads.'));
  const reader = store.runtime.readAhead(weights.map(({ variable }) => variable));
  for (const { key, variable } of weights) {
    const values = (await reader.read(variable)) as Float32Array;
    if (!values.every(Number.isFinite)) return key;
  }
  return undefined;
}
