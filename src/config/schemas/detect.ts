/** The configuration of `detect`: Faster and Mask R-CNN with FPN, from any backbone. */

import { type ConfigOf, defineSchema } from '../define-schema.js';
import { DETECT_FIELDS } from './detect-fields.js';
import { DETECT_PROTOCOLS } from './detect-protocols.js';
import { DETECT_ADJUSTMENTS, DETECT_RULES } from './detect-rules.js';

export const DETECT = defineSchema(DETECT_FIELDS, {
  rules: DETECT_RULES,
  adjustments: DETECT_ADJUSTMENTS,
  recipes: 'detection',
  presets: { key: 'protocol', values: DETECT_PROTOCOLS },
  debug: {
    'train/auto_scale': false,
    'train/max_steps': 4,
    'train/steps_at': [3],
    'train/warmup_steps': 1,
    'train/eval_steps': 2,
    'train/precise_bn/steps': 2,
    'train/num_workers': 4,
  },
});

export type DetectConfig = ConfigOf<typeof DETECT>;
