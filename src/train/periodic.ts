/**
 * When something that a run does now and then is due: every so many steps, epochs or minutes, and at the end. Saving,
 * validating and writing events all ask this.
 */

/** Units that are absent, null or 0 mean never; of several, whichever comes first. */
export interface Every {
  readonly steps?: number | null;
  readonly epochs?: number | null;
  /** Since it was last done. */
  readonly minutes?: number | null;
  /** Also after the last step of the run. */
  readonly last?: boolean;
}

/** How long a run is. What has no epochs has one that is as long as the run. */
export interface Length {
  readonly stepsPerEpoch: number;
  readonly totalSteps: number;
}

/** For what knows steps only. */
const ENDLESS: Length = { stepsPerEpoch: 0, totalSteps: 0 };

/**
 * @param step number of steps that were done, over all epochs
 * @param length needed for epochs and the end
 * @param minutes that went by since it was last done
 */
export function isDue(every: Every, step: number, length: Length = ENDLESS, minutes = 0): boolean {
  const pause = every.minutes ?? 0;
  return (
    isMultiple(step, every.steps ?? 0) ||
    isMultiple(step, (every.epochs ?? 0) * length.stepsPerEpoch) ||
    (pause > 0 && minutes >= pause) ||
    (every.last === true && step > 0 && step === length.totalSteps)
  );
}

function isMultiple(step: number, interval: number): boolean {
  return interval > 0 && step % interval === 0;
}
