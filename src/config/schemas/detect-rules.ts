/** What must hold between the fields of a detector, beyond the range of each, and what is mended or only said. */

import { counted } from '../../core/counted.js';
import type { AdjustmentOf, RuleOf, ValueOf } from '../define-schema.js';
import type { DETECT_FIELDS } from './detect-fields.js';

type Fields = typeof DETECT_FIELDS;

/** p2 to p6. */
const LEVELS = 5;

export const DETECT_RULES: readonly RuleOf<Fields>[] = [
  {
    keys: [
      'train/steps_at',
      'train/max_steps',
      'train/batch_size',
      'train/reference_batch',
      'train/auto_scale',
    ],
    problem: ({ train }) => {
      const ends = [0, ...train.steps_at, train.max_steps].map((step) => Math.round(step * stepScale(train)));
      return ends.every((end, i) => i === 0 || ends[i - 1] < end)
        ? undefined
        : `must ascend, to below train/max_steps: ${ends.slice(1, -1).join(', ')} of ${ends.at(-1)}`;
    },
    remedy: 'for example two thirds and eight ninths of train/max_steps, as in the 1x schedule',
  },
  {
    keys: ['input/min_size_train'],
    problem: ({ input }) => (input.min_size_train.length > 0 ? undefined : 'must name one size at least'),
    remedy: 'one size, or several of which one is drawn for each image',
  },
  {
    keys: ['model/rpn/anchor_sizes'],
    problem: ({ model: { rpn } }) =>
      rpn.anchor_sizes.length === LEVELS
        ? undefined
        : `must be ${LEVELS} sizes, for p2 to p6, not ${rpn.anchor_sizes.length}`,
    remedy: 'strides are 4, 8, 16, 32, 64; Detectron2 takes eight strides each',
  },
  {
    keys: ['model/rpn/aspect_ratios'],
    problem: ({ model: { rpn } }) =>
      rpn.aspect_ratios.length > 0 ? undefined : 'must name one ratio at least',
    remedy: 'Detectron2 has 0.5, 1, 2',
  },
  {
    keys: ['model/rpn/iou_thresholds'],
    problem: ({ model: { rpn } }) =>
      rpn.iou_thresholds[0] <= rpn.iou_thresholds[1]
        ? undefined
        : `must be [low, high], not [${rpn.iou_thresholds.join(', ')}]`,
    remedy: 'exchange the two numbers',
  },
];

export const DETECT_ADJUSTMENTS: readonly AdjustmentOf<Fields>[] = [
  {
    keys: ['train/warmup_steps', 'train/max_steps'],
    adjust: ({ train: { warmup_steps: warmup, max_steps: all } }) => {
      if (warmup < all) return undefined;
      const shorter = Math.round(all / 10);
      return {
        remark: `${counted(warmup, 'step does', 'steps do')} not fit into train/max_steps ${all}: shortened to ${shorter}`,
        values: { 'train/warmup_steps': shorter },
      };
    },
  },
  {
    keys: ['train/steps_at', 'train/max_steps'],
    adjust: ({ train: { steps_at: milestones, max_steps: all } }) => {
      const within = milestones.filter((step) => step < all);
      if (within.length === milestones.length) return undefined;
      const beyond = milestones.slice(within.length).join(', ');
      return {
        remark: `${beyond} ${milestones.length - within.length > 1 ? 'are' : 'is'} not below train/max_steps ${all}: ${rest(within)}`,
        values: { 'train/steps_at': within },
      };
    },
  },
  {
    keys: ['model/weights_style', 'model/norm/backbone'],
    adjust: ({ model: { weights_style: style, norm } }) =>
      style === 'msra' && norm.backbone === 'batch'
        ? {
            remark:
              'worse detectors are reported from weights in msra style with batch norms than from torch; why is not settled',
          }
        : undefined,
  },
  {
    keys: ['model/norm/box_head', 'model/box_head'],
    adjust: ({ model: { box_head: head, norm } }) =>
      head === 'fc2' && norm.box_head !== 'none'
        ? { remark: 'has no effect: fc2 has no convolutions; model/box_head 4conv1fc has' }
        : undefined,
  },
];

function rest(milestones: readonly number[]): string {
  return milestones.length === 0 ? 'the rate does not fall' : `left are ${milestones.join(', ')}`;
}

/** Steps of this batch for one of the reference's. */
export function stepScale(train: ValueOf<Fields>['train']): number {
  return train.auto_scale ? train.reference_batch / train.batch_size : 1;
}
