/**
 * How fast something goes, with the distant past forgotten exponentially.
 *
 * Work and time decay alike and are divided only when the rate is read, so the first estimate is already unbiased and
 * long and short steps count by their time. What is not to count (an evaluation, a checkpoint) is never added.
 */

/** After this many seconds an observation has lost 63 % of its weight. */
const MEMORY_SECONDS = 30;

export class Rate {
  #work = 0;
  #waited = 0;
  #seconds = 0;

  /**
   * @param work done since the last call
   * @param seconds that it took
   * @param waited seconds of these that went into waiting for data
   */
  add(work: number, seconds: number, waited = 0): void {
    const keep = Math.exp(-seconds / MEMORY_SECONDS);
    this.#work = this.#work * keep + work;
    this.#waited = this.#waited * keep + waited;
    this.#seconds = this.#seconds * keep + seconds;
  }

  /** Work per second; NaN before any time has passed. */
  get perSecond(): number {
    return this.#seconds > 0 ? this.#work / this.#seconds : Number.NaN;
  }

  /** Share of the time that went into waiting, 0..1; NaN before any time has passed. */
  get waitingShare(): number {
    return this.#seconds > 0 ? Math.min(this.#waited / this.#seconds, 1) : Number.NaN;
  }
}
