/** Every layer of a ResNet: what the graph, the names and shapes of files, and the ONNX export are made from. */

import { type ResNetArchitecture, stageWidth } from '../../core/architectures.js';

/**
 * Which of two ResNets: `torch` halves the map in the 3x3 convolution of a bottleneck, as torchvision and what is trained
 * with it; `msra` in the first 1x1, as the original release and Detectron2's own weights. Basic blocks are the same.
 */
export type WeightsStyle = 'torch' | 'msra';

/** A convolution without bias, and its norm. */
export interface ResNetLayer {
  readonly inputs: number;
  readonly outputs: number;
  readonly kernel: number;
  readonly stride: number;
  /** Zeros on each side. */
  readonly padding: number;
}

/** Convolutions with ReLU between them, and the identity or its projection added before the last ReLU. */
export interface ResNetBlock {
  /** 1 to 4. */
  readonly stage: number;
  /** Within the stage, from 0. */
  readonly index: number;
  readonly main: readonly ResNetLayer[];
  /** The 1x1 projection, where the block strides or widens. */
  readonly shortcut: ResNetLayer | undefined;
}

/** After the stem's ReLU comes a 3x3 max-pooling of stride 2. */
export interface ResNetLayers {
  readonly stem: ResNetLayer;
  /** The blocks of the four stages. */
  readonly stages: readonly (readonly ResNetBlock[])[];
}

export function resnetLayers(architecture: ResNetArchitecture, style: WeightsStyle = 'torch'): ResNetLayers {
  const stem = layer(3, 64, 7, 2);
  let inputs = stem.outputs;
  const stages = architecture.blocks.map((count, s) =>
    Array.from({ length: count }, (_, index) => {
      const stride = index === 0 && s > 0 ? 2 : 1;
      const shape = { inputs, width: stageWidth(s), stride };
      inputs = shape.width * architecture.expansion;
      return { stage: s + 1, index, ...blockLayers(architecture, shape, style) };
    }),
  );
  return { stem, stages };
}

function blockLayers(
  { kernels, expansion }: ResNetArchitecture,
  { inputs, width, stride }: { inputs: number; width: number; stride: number },
  style: WeightsStyle,
): Pick<ResNetBlock, 'main' | 'shortcut'> {
  const outputs = width * expansion;
  const strided = style === 'msra' ? 0 : kernels.indexOf(3);
  const main = kernels.map((kernel, i) =>
    layer(
      i === 0 ? inputs : width,
      i === kernels.length - 1 ? outputs : width,
      kernel,
      i === strided ? stride : 1,
    ),
  );
  const same = stride === 1 && inputs === outputs;
  return { main, shortcut: same ? undefined : layer(inputs, outputs, 1, stride) };
}

/** Padded so that stride 1 keeps the size. */
function layer(inputs: number, outputs: number, kernel: number, stride: number): ResNetLayer {
  return { inputs, outputs, kernel, stride, padding: kernel >> 1 };
}
