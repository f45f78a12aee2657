/** The command line of `npm run bench`: which benchmarks, their sizes, and where Python is. */

import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { errorMessage, UserError } from '../../src/core/errors.js';

export const BENCHMARKS = ['step', 'forward', 'detect', 'pipeline', 'coco', 'convert'] as const;
export type BenchmarkName = (typeof BENCHMARKS)[number];

export const USAGE = `npm run bench -- [step] [forward] [detect] [pipeline] [coco] [convert] [options]

  step        one optimisation step of SCRL, ResNet-50, against PyTorch
  forward     features of images, ResNet-50, against PyTorch
  detect      a training step and inference of Mask R-CNN R50-FPN, against torchvision
  pipeline    two augmented views per JPEG, against Pillow
  coco        evaluation of 500,000 results, loading of 450 MB, against pycocotools
  convert     a ResNet-50 from .pth to .pkl, against torch
              without a name: all

  --batch N      images per step, each with two views (8); forward takes four times as many
  --side N       side of a view in pixels (224)
  --rounds N     turns of each contestant (5)
  --threads N    threads of a step (number of cores)
  --python PATH  Python with torch, torchvision, Pillow, numpy and pycocotools for the peers (python3)

JSON lines go to standard output, a table to standard error.

Example
  npm run --silent bench -- step --batch 2 --side 64 --rounds 2 > results.jsonl`;

export interface BenchArguments {
  names: readonly BenchmarkName[];
  batch: number;
  side: number;
  rounds: number;
  threads: number;
  python: string;
  help: boolean;
}

/** @throws UserError for an unknown name or option, or a value out of range */
export function parseArguments(args: readonly string[]): BenchArguments {
  const { values, positionals } = parse(args);
  const unknown = positionals.find((name) => !BENCHMARKS.some((known) => known === name));
  if (unknown !== undefined) {
    throw new UserError('is no benchmark', {
      where: unknown,
      remedy: `choose from: ${BENCHMARKS.join(', ')}`,
    });
  }
  return {
    names: BENCHMARKS.filter((name) => positionals.length === 0 || positionals.includes(name)),
    batch: wholeNumber('--batch', values.batch, 8, 1),
    // The last feature map needs more than one cell for batch statistics and boxes to mean something.
    side: wholeNumber('--side', values.side, 224, 64),
    rounds: wholeNumber('--rounds', values.rounds, 5, 1),
    threads: wholeNumber('--threads', values.threads, availableParallelism(), 1),
    python: values.python ?? 'python3',
    help: values.help ?? false,
  };
}

function parse(args: readonly string[]) {
  const text = { type: 'string' } as const;
  const options = {
    batch: text,
    side: text,
    rounds: text,
    threads: text,
    python: text,
    help: { type: 'boolean', short: 'h' },
  } as const;
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options });
  } catch (error) {
    throw new UserError(errorMessage(error), { remedy: 'see: npm run bench -- --help', cause: error });
  }
}

function wholeNumber(flag: string, text: string | undefined, fallback: number, least: number): number {
  if (text === undefined) return fallback;
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && Number.isSafeInteger(value)) return value;
  throw new UserError('is not a number this benchmark can use', {
    where: flag,
    value: text,
    remedy: `give a whole number of at least ${least}`,
  });
}
