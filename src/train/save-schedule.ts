/** When a run saves: at the end of kept epochs, and in between every so many steps or minutes. */

export interface SaveScheduleOptions {
  stepsPerEpoch: number;
  epochs: number;
  /** Epochs between checkpoints that are kept. */
  snapshotInterval: number;
  /** Steps between rolling checkpoints; 0 = none. */
  everySteps: number;
  /** Minutes between rolling checkpoints; 0 = none. */
  everyMinutes: number;
}

/** `kept`: `checkpoint_{epoch}.pth`. `rolling`: replaces the last rolling one. */
export type SaveKind = 'kept' | 'rolling';

export class SaveSchedule {
  readonly #options: SaveScheduleOptions;
  readonly #now: () => number;
  #last: number;

  /** @param now seconds from any fixed moment */
  constructor(options: SaveScheduleOptions, now: () => number = () => performance.now() / 1000) {
    this.#options = options;
    this.#now = now;
    this.#last = now();
  }

  /** @param step number of steps done, over all epochs */
  due(step: number): SaveKind | undefined {
    const { stepsPerEpoch, epochs, snapshotInterval, everySteps, everyMinutes } = this.#options;
    if (step % stepsPerEpoch === 0) {
      const epoch = step / stepsPerEpoch;
      if (epoch === epochs || (snapshotInterval > 0 && epoch % snapshotInterval === 0)) return 'kept';
    }
    if (everySteps > 0 && step % everySteps === 0) return 'rolling';
    if (everyMinutes > 0 && this.#now() - this.#last >= 60 * everyMinutes) return 'rolling';
    return undefined;
  }

  /** Tells that a checkpoint was written. */
  saved(): void {
    this.#last = this.#now();
  }
}
