/** What can be done with a run that has come to its end: complete commands, quoted for the shell. */

import { isAbsolute, join, relative, sep } from 'node:path';
import { quoteForShell } from '../core/shell.js';

export interface NextStep {
  /** What it is good for. */
  readonly purpose: string;
  /** Words of a command line behind `scrl`. */
  readonly words: readonly string[];
}

/** One line for each, with the commands below each other. */
export function nextStepsText(steps: readonly NextStep[]): string {
  const widest = Math.max(...steps.map(({ purpose }) => purpose.length));
  const lines = steps.map(
    ({ purpose, words }) => `  ${`${purpose}:`.padEnd(widest + 1)}  ${quoteForShell(['scrl', ...words])}`,
  );
  return ['what to do next', ...lines].join('\n');
}

export interface PretrainedRun {
  readonly folder: string;
  /** Its backbone. */
  readonly network: string;
  /** Path of one of its images. */
  readonly image: string;
  /** Folder of its images, where they have class folders. */
  readonly labelled: string | undefined;
  /** Whether there are validation images too, and they were not used yet. */
  readonly canBeEvaluated: boolean;
}

export function afterPretraining(run: PretrainedRun): NextStep[] {
  const { canBeEvaluated } = run;
  const [folder, image] = [fromHere(run.folder), fromHere(run.image)];
  const labelled = run.labelled === undefined ? undefined : fromHere(run.labelled);
  const weights = ['--weights', folder];
  const config = join(folder, 'config.yaml');
  return [
    {
      purpose: 'for Detectron2',
      words: ['convert', join(folder, 'checkpoint_last.pth'), join(folder, 'backbone.pkl')],
    },
    {
      purpose: 'see its features',
      words: ['show', 'pca', ...weights, '--out', join(folder, 'pca.png'), image],
    },
    ...(labelled === undefined
      ? []
      : [{ purpose: 'nearest neighbours', words: ['knn', ...weights, '--dataset/root', labelled] }]),
    ...(canBeEvaluated
      ? [{ purpose: 'linear evaluation', words: ['linear', '--config', config, '--load_dir', folder] }]
      : []),
    {
      purpose: 'a detector from it',
      words: [
        ...['detect', 'train', '--config', 'one_machine', '--model/backbone', run.network, ...weights],
        ...['--dataset/train/images', 'DIR', '--dataset/train/annotations', 'JSON'],
      ],
    },
  ];
}

export interface TrainedDetector {
  readonly folder: string;
  /** What it was judged by, or else trained on. */
  readonly images: string;
  /** Of those, if it was judged. */
  readonly annotations: string | undefined;
}

export function afterDetectorTraining(run: TrainedDetector): NextStep[] {
  const { annotations } = run;
  const [folder, images] = [fromHere(run.folder), fromHere(run.images)];
  const weights = ['--weights', folder];
  return [
    {
      purpose: 'see what it finds',
      words: ['detect', 'predict', ...weights, images, '--out', join(folder, 'pictures')],
    },
    ...(annotations === undefined
      ? []
      : [
          {
            purpose: 'evaluate it anew',
            words: [
              ...['detect', 'eval', ...weights, '--images', images, '--annotations', fromHere(annotations)],
              ...['--out', join(folder, 'evaluation')],
            ],
          },
        ]),
    {
      purpose: 'use it elsewhere',
      words: ['convert', join(folder, 'checkpoint_last.pth'), join(folder, 'detector.pkl')],
    },
  ];
}

/** Shorter where the path is below the current folder; never like an option. */
export function fromHere(path: string): string {
  const short = relative(process.cwd(), path);
  if (short === '' || isAbsolute(short) || short.split(sep)[0] === '..') return path;
  return short.startsWith('-') ? `.${sep}${short}` : short;
}
