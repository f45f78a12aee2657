/**
 * Where the numbers of a run go. The loop hands every sink the same values under the same names; metrics.jsonl and
 * TensorBoard are two of them.
 *
 * Writing is synchronous: a line is some hundred bytes and goes to the page cache, and an error (a full disk) then
 * comes out of the call that caused it instead of out of a promise that nobody awaits.
 */

/** Numbers by name, for instance `{ sLoss: 1.2, lr: 0.3 }`. */
export type Metrics = Readonly<Record<string, number>>;

export interface MetricSink {
  /**
   * @param step global step, counted from 0 over the whole run
   * @throws UserError when the disk is full
   */
  write(step: number, metrics: Metrics): void;
  /** Writes what is still held back and closes the file. May be called twice. */
  close(): void;
}
