/** The options of every command that computes features: which weights, how images are read, where it is computed. */

import { availableParallelism } from 'node:os';
import type { Argv } from 'yargs';
import { RESNET_NAMES, type ResNetName } from '../core/architectures.js';
import { UserError } from '../core/errors.js';
import type { WeightsSettings } from '../recipes/shared/open-embedder.js';
import { readEngine, withEngine } from './engine-flags.js';
import { withLog } from './log-flags.js';
import { wholeNumber } from './numbers.js';

export type WeightsArguments = Record<string, unknown>;

const LARGEST_SEED = 2 ** 53 - 1;

/** What is cut out of an image, and its side unless `--size` says another. */
export const EVALUATION_CROP = { side: 224, describe: 'shorter side to 256/224 of it, centre cut out' };
export const LARGEST_SQUARE = { side: 448, describe: 'the largest square of an image is shown' };

export function withWeights<T>(yargs: Argv<T>, crop: typeof EVALUATION_CROP): Argv {
  const result = withLog(yargs)
    .option('weights', {
      type: 'string',
      demandOption: true,
      requiresArg: true,
      describe: 'file of weights of any toolkit, run folder, or `random`: initial weights, a base line',
    })
    .option('role', {
      choices: ['online', 'target'] as const,
      describe: 'which of two networks in the file: the trained one (default) or its moving average',
    })
    .option('prefix', {
      type: 'string',
      requiresArg: true,
      describe: 'where the network is in the file, as `scrl inspect` spells it',
    })
    .option('backbone', {
      choices: RESNET_NAMES,
      describe: 'architecture, with --weights random only; a file says its own',
    })
    .option('seed', { ...text('names all random draws'), default: '0' })
    .option('size', {
      ...text(`side of the images, pixels; ${crop.describe}`),
      default: String(crop.side),
    })
    .option('batch', { ...text('images of a step; does not change features'), default: '64' })
    .option('workers', text('images decoded at once; default: one for each processor')) as Argv;
  return withEngine(result);
}

/** @throws UserError for a value that is not allowed, or options that contradict each other */
export function readWeightsFlags(argv: WeightsArguments): WeightsSettings {
  const weights = String(argv.weights);
  const isRandom = weights === 'random';
  for (const key of isRandom ? ['role', 'prefix'] : ['backbone']) {
    if (argv[key] === undefined) continue;
    const problem = isRandom
      ? 'chooses a network in a file, but the weights are random'
      : 'a file says its own';
    throw new UserError(problem, { key: `--${key}`, value: argv[key], remedy: `leave out --${key}` });
  }
  if (isRandom && argv.backbone === undefined) {
    throw new UserError('random weights of which architecture?', {
      key: '--backbone',
      remedy: 'add --backbone resnet50',
    });
  }
  const workers = argv.workers === undefined ? availableParallelism() : number(argv, 'workers', 256);
  return {
    weights: isRandom
      ? { random: argv.backbone as ResNetName }
      : {
          path: weights,
          ...(argv.role !== undefined && { role: argv.role as 'online' | 'target' }),
          ...(argv.prefix !== undefined && { place: String(argv.prefix) }),
        },
    seed: number(argv, 'seed', LARGEST_SEED, 0),
    size: number(argv, 'size', 4096, 32),
    batch: number(argv, 'batch', 4096),
    workers,
    engine: readEngine(argv),
  };
}

function number(argv: WeightsArguments, key: string, most: number, least?: number): number {
  return wholeNumber(`--${key}`, String(argv[key]), most, least);
}

function text(describe: string) {
  return { type: 'string', requiresArg: true, describe } as const;
}
