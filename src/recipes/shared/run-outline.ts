/** What a training says before its first step: what it is going to do, in three lines, and what looks wrong with that. */

import { counted } from '../../core/counted.js';
import type { Log } from '../../core/log.js';

export interface RunOutline {
  /** Name of the configuration. */
  readonly recipe: string;
  /** What is trained, and at which size: `SCRL, resnet18, views of 128 px`. */
  readonly what: string;
  readonly images: number;
  readonly batch: {
    /** The field, and its value. */
    readonly key: string;
    readonly value: number;
    /** Less than the value where there are not as many images. */
    readonly used: number;
  };
  readonly length: {
    readonly key: string;
    /** What the configuration counts the length and the schedule in. */
    readonly unit: 'epochs' | 'steps';
    readonly totalSteps: number;
    readonly epochs: number;
  };
  readonly rate: {
    readonly key: string;
    readonly value: number;
    /** Images of a step for which the value is meant. */
    readonly forImages: number;
    /** What the rate is after the warm-up. */
    readonly peak: number;
    readonly warmupSteps: number;
    /** How it goes on: `then falling as a cosine`. */
    readonly fall: string;
  };
  /** Of a classifier that is trained; undefined when there is none. */
  readonly classes: number | undefined;
}

/** With fewer an epoch is too short for its schedule to mean much. */
const FEW_STEPS = 20;

export function sayOutline(outline: RunOutline, log: Log): void {
  for (const line of outlineLines(outline)) log.info(line);
  for (const doubt of doubtsAbout(outline)) log.warn(doubt);
}

export function outlineLines({ recipe, what, images, batch, length, rate }: RunOutline): string[] {
  const { totalSteps, epochs } = length;
  const scaled =
    rate.peak === rate.value ? '' : ` (${rate.key} ${rate.value} is for ${counted(rate.forImages, 'image')})`;
  const warmup = rate.warmupSteps > 0 ? ` after ${counted(rate.warmupSteps, 'step')} of warm-up` : '';
  return [
    `${recipe}: ${what}`,
    `${counted(images, 'image')} in batches of ${batch.used}: ${counted(stepsOfEpoch(length), 'step')} an epoch, ` +
      `${totalSteps} in ${counted(Number(epochs.toFixed(1)), 'epoch')}`,
    `learning rate ${short(rate.peak)}${scaled}${warmup}, ${rate.fall}`,
  ];
}

/** What looks wrong, and what to do about it: a sentence each. */
export function doubtsAbout({ images, classes, batch, length, rate }: RunOutline): string[] {
  const { totalSteps, epochs } = length;
  const steps = stepsOfEpoch(length);
  const doubts: string[] = [];
  if (batch.value > images) {
    const use = batch.used < batch.value ? `${batch.used} is used` : 'a step has some of them twice';
    doubts.push(`${batch.key} ${batch.value} is more than the ${counted(images, 'image')}: ${use}`);
  }
  if (length.unit === 'epochs' && steps < FEW_STEPS) {
    doubts.push(
      `${counted(images, 'image is', 'images are')} ${counted(steps, 'step')} an epoch, ${totalSteps} in all: ` +
        `more images, a smaller ${batch.key} or a larger ${length.key} give more`,
    );
  }
  if (length.unit === 'steps' && epochs < 1) {
    doubts.push(
      `${counted(totalSteps, 'step')} of ${counted(batch.used, 'image')} see ${totalSteps * batch.used} of the ` +
        `${counted(images, 'image')}: a larger ${length.key} sees all`,
    );
  }
  if (rate.warmupSteps > totalSteps / 2) {
    doubts.push(
      `${rate.warmupSteps} of ${counted(totalSteps, 'step')} are warm-up: a larger ${length.key} leaves more of the full rate`,
    );
  }
  if (rate.peak === rate.value && rate.forImages !== batch.used) {
    const scaled = short((rate.value * batch.used) / rate.forImages);
    doubts.push(
      `${rate.key} ${rate.value} is meant for ${counted(rate.forImages, 'image')} a step and is not scaled: ` +
        `for ${batch.used} it would be ${scaled}`,
    );
  }
  if (classes === 1) doubts.push('there is one class only: a classifier has nothing to tell apart');
  return doubts;
}

function stepsOfEpoch({ totalSteps, epochs }: RunOutline['length']): number {
  return Math.max(1, Math.round(totalSteps / epochs));
}

function short(rate: number): number {
  return Number(rate.toPrecision(4));
}
