/** A detector in use: pictures in, detections out. */

import type { Runtime } from '../../engine/runtime.js';
import type { Step } from '../../engine/step.js';
import {
  type DetectHostOptions,
  type ImageDetections,
  runDetectStep,
} from '../../models/detection/detect-host.js';
import { compileDetectStep } from '../../models/detection/detect-step.js';
import type { Detector } from '../../models/detection/networks.js';
import type { PixelBatch } from '../../models/detection/pixels.js';
import type { ImageSize } from '../../models/detection/postprocess.js';

export class DetectorRunner {
  readonly #step: Step<string, string>;
  readonly #host: DetectHostOptions;

  /** One image a step: then a detection does not depend on which other images are in its batch. */
  constructor(runtime: Runtime, detector: Detector, host: DetectHostOptions) {
    this.#step = compileDetectStep(runtime, detector, {
      images: 1,
      candidatesPerLevel: host.candidatesPerLevel,
    });
    this.#host = host;
  }

  /**
   * @param padded one resized image
   * @param output size in whose pixels detections are given, mostly that of the file
   */
  async detect(padded: PixelBatch, output: ImageSize): Promise<ImageDetections> {
    const { height, width } = output;
    const [detections] = await runDetectStep(
      this.#step,
      { ...padded, outputs: [{ height, width }] },
      this.#host,
    );
    return detections;
  }
}
