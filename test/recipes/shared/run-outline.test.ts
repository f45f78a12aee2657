import { describe, expect, it } from 'vitest';
import { doubtsAbout, outlineLines, type RunOutline } from '../../../src/recipes/shared/run-outline.js';

const PRETRAINING: RunOutline = {
  recipe: 'one_machine',
  what: 'SCRL, resnet18, views of 128 px',
  images: 3200,
  classes: undefined,
  batch: { key: 'train/batch_size_train', value: 32, used: 32 },
  length: { key: 'train/max_epochs', unit: 'epochs', totalSteps: 10_000, epochs: 100 },
  rate: {
    key: 'train/optim/lr',
    value: 2,
    forImages: 256,
    peak: 0.25,
    warmupSteps: 500,
    fall: 'then falling as a cosine',
  },
};
const DETECTOR: RunOutline = {
  ...PRETRAINING,
  batch: { key: 'train/batch_size', value: 2, used: 2 },
  length: { key: 'train/max_steps', unit: 'steps', totalSteps: 3000, epochs: 1.875 },
  rate: {
    key: 'train/lr',
    value: 0.0025,
    forImages: 2,
    peak: 0.0025,
    warmupSteps: 0,
    fall: 'falling at 2000',
  },
};

describe('the lines', () => {
  it('say what is trained, for how long, and at which rate', () => {
    expect(outlineLines(PRETRAINING)).toEqual([
      'one_machine: SCRL, resnet18, views of 128 px',
      '3200 images in batches of 32: 100 steps an epoch, 10000 in 100 epochs',
      'learning rate 0.25 (train/optim/lr 2 is for 256 images) after 500 steps of warm-up, then falling as a cosine',
    ]);
    expect(outlineLines(DETECTOR).slice(1)).toEqual([
      '3200 images in batches of 2: 1600 steps an epoch, 3000 in 1.9 epochs',
      'learning rate 0.0025, falling at 2000',
    ]);
  });

  it('know one from several', () => {
    const [, line] = outlineLines({
      ...PRETRAINING,
      images: 1,
      batch: { ...PRETRAINING.batch, used: 1 },
      length: { ...PRETRAINING.length, totalSteps: 1, epochs: 1 },
    });
    expect(line).toBe('1 image in batches of 1: 1 step an epoch, 1 in 1 epoch');
  });
});

describe('what looks wrong', () => {
  it('is nothing where all is well', () => {
    expect(doubtsAbout(PRETRAINING)).toEqual([]);
    expect(doubtsAbout(DETECTOR)).toEqual([]);
    // Where the length is counted in steps, a short epoch means nothing.
    expect(doubtsAbout({ ...DETECTOR, images: 10, length: { ...DETECTOR.length, epochs: 600 } })).toEqual([]);
  });

  it.each<[string, Partial<RunOutline>, string]>([
    [
      'few steps',
      {
        images: 79,
        length: { ...PRETRAINING.length, totalSteps: 200 },
        rate: { ...PRETRAINING.rate, warmupSteps: 10 },
      },
      '79 images are 2 steps an epoch, 200 in all: more images, a smaller train/batch_size_train or a larger train/max_epochs give more',
    ],
    [
      'a batch of all images',
      { images: 300, batch: { ...PRETRAINING.batch, value: 512, used: 300 } },
      'train/batch_size_train 512 is more than the 300 images: 300 is used',
    ],
    [
      'a warm-up that is most of the run',
      { rate: { ...PRETRAINING.rate, warmupSteps: 5001 } },
      '5001 of 10000 steps are warm-up: a larger train/max_epochs leaves more of the full rate',
    ],
    ['one class', { classes: 1 }, 'there is one class only: a classifier has nothing to tell apart'],
  ])('%s', (_name, change, doubt) => {
    expect(doubtsAbout({ ...PRETRAINING, ...change })).toEqual([doubt]);
  });

  it.each<[string, Partial<RunOutline>, string]>([
    [
      'a rate for another batch',
      { rate: { ...DETECTOR.rate, value: 0.02, peak: 0.02, forImages: 16 } },
      'train/lr 0.02 is meant for 16 images a step and is not scaled: for 2 it would be 0.0025',
    ],
    [
      'images that are never seen',
      { images: 100, length: { ...DETECTOR.length, totalSteps: 16, epochs: 0.32 } },
      '16 steps of 2 images see 32 of the 100 images: a larger train/max_steps sees all',
    ],
    [
      'fewer images than a step has',
      { images: 1, length: { ...DETECTOR.length, epochs: 6000 } },
      'train/batch_size 2 is more than the 1 image: a step has some of them twice',
    ],
  ])('of a detector: %s', (_name, change, doubt) => {
    expect(doubtsAbout({ ...DETECTOR, ...change })).toEqual([doubt]);
  });
});
