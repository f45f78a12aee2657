/** Fields that the configurations of several recipes share. */

import type { DeviceChoice, Precision } from '../../engine/runtime.js';
import type { Section, ValueOf } from '../define-schema.js';
import { choice, integer, nullable, number, string } from '../leaf.js';

/** A run: its random draws, and where it is kept. */
export const RUN = {
  seed: integer(0, { min: 0 }, 'names all random draws of the run; ours'),
  save_dir: nullable(string('', 'run folder; null = numbered below top_dir; ours in YAML'), null),
  top_dir: string('', 'prefix of the numbered run folder; ours in YAML'),
} as const satisfies Section;

/** When a training saves what a resume needs. */
export const SAVES = {
  save_minutes: number(
    10,
    { min: 0 },
    'minutes between saves for a resume; 0 = at ends of epochs only; ours',
  ),
  save_steps: integer(0, { min: 0 }, 'steps between saves for a resume; 0 = off; ours'),
} as const satisfies Section;

/** Where, and how, it is computed. */
export const ENGINE = {
  device: choice<DeviceChoice>(
    'auto',
    ['auto', 'cpu', 'gpu'],
    'where to compute; auto = a GPU if there is one; ours',
  ),
  threads: integer(0, { min: 0 }, 'threads within one operation; 0 = all cores; ours'),
  precision: choice<Precision>('float32', ['float32', 'mixed'], 'mixed = 16 bits where it is safe; ours'),
} as const satisfies Section;

export type EngineConfig = ValueOf<typeof ENGINE>;
