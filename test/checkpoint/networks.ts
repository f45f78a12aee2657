/** State dicts of whole networks: names and shapes as the toolkits have them, elements made when they are loaded. */

import { resnetNames, resnetShapes } from '../../src/checkpoint/names/resnet.js';
import type { StateDict } from '../../src/checkpoint/state-dict.js';
import type { ResNetName } from '../../src/core/architectures.js';
import { elementCount, hostTensor, type TensorSource } from '../../src/core/array.js';
import { RandomStream } from '../../src/core/rng.js';
import type { SpellingName } from '../../src/models/backbone/spellings.js';

/** A tensor whose elements follow from its name: positive, so that it may be a variance too. */
export function tensorOf(name: string, shape: readonly number[]): TensorSource {
  if (name.endsWith('num_batches_tracked')) return hostTensor('int64', [], BigInt64Array.of(7n));
  return {
    dtype: 'float32',
    shape,
    load: async () => {
      const random = new RandomStream(0, `tensor ${name}`);
      const [offset, step] = [random.uniform(), random.uniform()];
      const data = Float32Array.from(
        { length: elementCount(shape) },
        (_, i) => 0.01 + ((offset + i * step) % 1),
      );
      return hostTensor('float32', shape, data);
    },
  };
}

/** A backbone in a toolkit's spelling, without classifier. */
export function resnet(network: ResNetName, spelling: SpellingName = 'torchvision', prefix = ''): StateDict {
  const shapes = resnetShapes(network);
  return new Map(
    [...resnetNames(spelling, network)].flatMap(([theirs, ours]) => {
      const shape = shapes.get(ours);
      return shape === undefined ? [] : [[prefix + theirs, tensorOf(ours, shape)] as const];
    }),
  );
}

/** torchvision's Mask R-CNN with FPN. */
export function torchvisionDetector(rows: number): StateDict {
  const dict = new Map(resnet('resnet50', 'torchvision', 'backbone.body.'));
  const layer = (name: string, ...shape: number[]) => {
    dict.set(`${name}.weight`, tensorOf(`${name}.weight`, shape));
    const outputs = name.endsWith('conv5_mask') ? shape[1] : shape[0];
    dict.set(`${name}.bias`, tensorOf(`${name}.bias`, [outputs]));
  };
  [256, 512, 1024, 2048].forEach((channels, i) => {
    layer(`backbone.fpn.inner_blocks.${i}.0`, 256, channels, 1, 1);
    layer(`backbone.fpn.layer_blocks.${i}.0`, 256, 256, 3, 3);
  });
  layer('rpn.head.conv.0.0', 256, 256, 3, 3);
  layer('rpn.head.cls_logits', 3, 256, 1, 1);
  layer('rpn.head.bbox_pred', 12, 256, 1, 1);
  layer('roi_heads.box_head.fc6', 1024, 12544);
  layer('roi_heads.box_head.fc7', 1024, 1024);
  layer('roi_heads.box_predictor.cls_score', rows, 1024);
  layer('roi_heads.box_predictor.bbox_pred', 4 * rows, 1024);
  for (const i of [0, 1, 2, 3]) layer(`roi_heads.mask_head.${i}.0`, 256, 256, 3, 3);
  layer('roi_heads.mask_predictor.conv5_mask', 256, 256, 2, 2);
  layer('roi_heads.mask_predictor.mask_fcn_logits', rows, 256, 1, 1);
  return dict;
}
