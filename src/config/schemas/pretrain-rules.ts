/** What must hold between the fields of `pretrain`, beyond the range of each, and what is mended instead of refused. */

import { resnetChannels } from '../../core/architectures.js';
import { counted } from '../../core/counted.js';
import type { AdjustmentOf, RuleOf } from '../define-schema.js';
import type { PRETRAIN_FIELDS } from './pretrain-fields.js';

export const PRETRAIN_RULES: readonly RuleOf<typeof PRETRAIN_FIELDS>[] = [
  ...(['train', 'eval'] as const).flatMap((phase): RuleOf<typeof PRETRAIN_FIELDS>[] => [
    {
      keys: [`${phase}/optim/nesterov`, `${phase}/optim/momentum`],
      problem: (config) => {
        const { nesterov, momentum } = config[phase].optim;
        return nesterov && momentum === 0 ? 'needs a momentum above 0' : undefined;
      },
      remedy: `set ${phase}/optim/nesterov to false, or a momentum`,
    },
  ]),
  {
    keys: ['network/proj_head/input_size', 'network/name'],
    problem: ({ network }) => {
      const size = network.proj_head.input_size;
      const channels = resnetChannels(network.name);
      return size === null || size === channels
        ? undefined
        : `must be ${channels}, the channels of ${network.name}, not ${size}`;
    },
    remedy: 'set network/proj_head/input_size to null: then it follows the backbone',
  },
  {
    keys: ['network/scrl/pool_size'],
    problem: ({ network }) =>
      network.scrl.pool_size === 1
        ? undefined
        : `must be 1, not ${network.scrl.pool_size}: the projector takes one vector for each box`,
    remedy: 'larger values fail in the reference too',
  },
  {
    keys: ['network/scrl/min_size', 'augment/input_size', 'network/scrl/enabled'],
    problem: ({ network: { scrl }, augment }) =>
      scrl.enabled && scrl.min_size >= augment.input_size
        ? `must be less than augment/input_size: no view of ${augment.input_size} pixels has room for a box of ${scrl.min_size}`
        : undefined,
    remedy: 'lower network/scrl/min_size or raise augment/input_size',
  },
  {
    keys: ['augment/crop_scale'],
    problem: ({ augment: { crop_scale } }) =>
      crop_scale[0] <= crop_scale[1] ? undefined : `must be [low, high], not [${crop_scale.join(', ')}]`,
    remedy: 'exchange the two numbers',
  },
  {
    keys: ['augment/type', 'network/scrl/enabled'],
    problem: ({ augment, network }) =>
      augment.type === 'none' && network.scrl.enabled
        ? 'cannot be none with SCRL: both views would be the same window, which leaves nothing to learn'
        : undefined,
    remedy: 'use augment/type simple or simclr, or network/scrl/enabled false',
  },
  {
    keys: ['dataset/annotations', 'dataset/name'],
    problem: ({ dataset: { name, annotations } }) => {
      if (name === 'coco') return annotations === null ? 'must be set for dataset/name coco' : undefined;
      if (name === 'auto' || annotations === null) return undefined;
      return `is not used with dataset/name ${name}`;
    },
    remedy: 'a data set in the form of COCO has both: dataset/name coco (or auto) and its JSON file',
  },
];

/** Whoever tries three epochs first need not know of the warm-up. */
export const PRETRAIN_ADJUSTMENTS: readonly AdjustmentOf<typeof PRETRAIN_FIELDS>[] = (
  ['train', 'eval'] as const
).map((phase) => ({
  keys: [`${phase}/warmup_epochs`, `${phase}/max_epochs`],
  adjust(config) {
    const { warmup_epochs: warmup, max_epochs: all } = config[phase];
    if (warmup < all) return undefined;
    const shorter = all / 10;
    return {
      remark: `${counted(warmup, 'epoch does', 'epochs do')} not fit into ${phase}/max_epochs ${all}: shortened to ${shorter}`,
      values: { [`${phase}/warmup_epochs`]: shorter },
    };
  },
}));
