/** The configuration of `pretrain`, `linear` and `preview`. The SCRL reference's YAML files load unchanged. */

import { type ConfigOf, defineSchema } from '../define-schema.js';
import { PRETRAIN_FIELDS } from './pretrain-fields.js';
import { PRETRAIN_ADJUSTMENTS, PRETRAIN_RULES } from './pretrain-rules.js';

export const PRETRAIN = defineSchema(PRETRAIN_FIELDS, {
  rules: PRETRAIN_RULES,
  adjustments: PRETRAIN_ADJUSTMENTS,
  // The reference's README spells it so.
  aliases: { 'data/root': 'dataset/root' },
  // As in the reference: every part of a run is exercised within minutes.
  debug: {
    'train/max_epochs': 2,
    'train/warmup_epochs': 1,
    'train/valid_interval': 1,
    'train/snapshot_interval': 1,
    'train/num_workers': 4,
    'eval/max_epochs': 2,
    'eval/warmup_epochs': 1,
    'eval/valid_interval': 1,
    'eval/num_workers': 4,
  },
});

export type PretrainConfig = ConfigOf<typeof PRETRAIN>;
