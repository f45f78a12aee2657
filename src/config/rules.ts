/** What must hold between fields, beyond the range of each. */

import { resnetChannels } from '../core/architectures.js';
import type { Assignment } from './assign.js';
import type { Problems } from './problems.js';
import type { Config, ConfigPath } from './schema.js';

interface Rule {
  /** The fields that are compared; the first is the one that is blamed. */
  readonly keys: readonly ConfigPath[];
  /** What is wrong, if anything. */
  readonly problem: (config: Config) => string | undefined;
  readonly remedy: string;
}

const RULES: readonly Rule[] = [
  ...(['train', 'eval'] as const).flatMap((phase): Rule[] => [
    {
      keys: [`${phase}/warmup_epochs`, `${phase}/max_epochs`],
      problem: (config) => {
        const { warmup_epochs: warmup, max_epochs: all } = config[phase];
        return warmup < all ? undefined : `must be less than ${phase}/max_epochs: ${warmup} of ${all} epochs`;
      },
      remedy: `lower ${phase}/warmup_epochs or raise ${phase}/max_epochs`,
    },
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

/** Checks the rules whose fields are all good by themselves. */
export function checkRules(
  config: Config,
  assignments: ReadonlyMap<string, Assignment>,
  problems: Problems,
): void {
  for (const { keys, problem, remedy } of RULES) {
    if (keys.some((key) => problems.has(key))) continue;
    const text = problem(config);
    if (text === undefined) continue;
    const origins = keys.map((key) => assignments.get(key)?.origin).filter((origin) => origin !== 'default');
    problems.add(text, { where: [...new Set(origins)].join(' and '), key: keys[0], remedy });
  }
}
