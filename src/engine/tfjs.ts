/**
 * TensorFlow.js with the kernels of tfjs-node-gpu: one file in dist, which `tools/bundle-tfjs.ts` makes of both packages.
 * The packages are known here only, and as types: whoever installs scrl does not install them.
 */

import { createRequire } from 'node:module';
import type { KernelBackend, Tensor } from '@tensorflow/tfjs-core';
import type { TensorMetadata, TFEOpAttr } from '@tensorflow/tfjs-node-gpu/dist/tfjs_binding.js';

export type { Tensor, TensorMetadata, TFEOpAttr };

const require = createRequire(import.meta.url);

/** What is used of tfjs-node-gpu's `NodeJSKernelBackend`; its own declaration keeps these methods private. */
export interface NodeBackend extends KernelBackend {
  createOutputTensor(metadata: TensorMetadata): Tensor;
  getInputTensorIds(tensors: Tensor[]): number[];
}

export type Tfjs = typeof import('@tensorflow/tfjs-core');

export interface TfjsBundle extends Tfjs {
  /** @param binding the interface to TensorFlow, `TFJSBinding` */
  readonly NodeJSKernelBackend: new (
    binding: object,
    name: string,
  ) => NodeBackend;
}

/** Loads the file; a tenth of a second of processor time. */
export function loadBundle(): TfjsBundle {
  return require('#tfjs') as TfjsBundle;
}
