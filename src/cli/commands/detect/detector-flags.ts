/** The options of commands that use a trained detector. */

import { availableParallelism } from 'node:os';
import type { Argv } from 'yargs';
import type { EngineConfig } from '../../../config/schemas/sections.js';
import { UserError } from '../../../core/errors.js';
import { readEngine, withEngine } from '../../engine-flags.js';
import { withLog } from '../../log-flags.js';
import { wholeNumber } from '../../numbers.js';

export type DetectorArguments = Record<string, unknown>;

const LARGEST_SIDE = 10_000;

export function withDetector<T>(yargs: Argv<T>): Argv {
  const result = withLog(yargs)
    .option('weights', {
      type: 'string',
      demandOption: true,
      requiresArg: true,
      describe: 'the detector: a run folder, or a file, also of the zoo of Detectron2',
    })
    .option('weights_style', {
      choices: ['torch', 'msra'] as const,
      describe: 'colours and strides, for a file that does not say them: torch = RGB, msra = BGR',
    })
    .option('size', {
      type: 'string',
      requiresArg: true,
      describe: 'shorter and longest side of the images, pixels, e.g. 800,1333; default: as it was trained',
    })
    .option('workers', {
      type: 'string',
      requiresArg: true,
      describe: 'images decoded at once; default: one for each processor',
    }) as Argv;
  return withEngine(result);
}

export interface DetectorSettings {
  readonly weights: string;
  readonly style: 'torch' | 'msra' | undefined;
  readonly size?: { readonly min: number; readonly max: number };
  readonly workers: number;
  readonly engine: EngineConfig;
}

/** @throws UserError for a value that is not allowed */
export function readDetectorFlags(argv: DetectorArguments): DetectorSettings {
  const { workers } = argv;
  return {
    weights: String(argv.weights),
    style: argv.weights_style as DetectorSettings['style'],
    ...(argv.size !== undefined && { size: sizeOf(String(argv.size)) }),
    workers: workers === undefined ? availableParallelism() : wholeNumber('--workers', String(workers), 256),
    engine: readEngine(argv),
  };
}

function sizeOf(text: string): { min: number; max: number } {
  const sides = text.split(',');
  if (sides.length !== 2) {
    throw new UserError('must be two numbers, the shorter and the longest side', {
      key: '--size',
      value: text,
    });
  }
  const [min, max] = sides.map((side) => wholeNumber('--size', side.trim(), LARGEST_SIDE, 32));
  if (min <= max) return { min, max };
  throw new UserError('the longest side must not be shorter than the shorter one', {
    key: '--size',
    value: text,
  });
}
