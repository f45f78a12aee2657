/**
 * How far a long piece of work has come: a bar on a terminal, now and then a line in a pipe.
 *
 * On a terminal one line is redrawn at most ten times a second and removed for a summary at the end. Elsewhere nothing
 * is said for the first two seconds; then a line is printed at once, at every tenth of the way, where tenths take five
 * seconds or more, and on long ways every 30 seconds. There is no timer behind it: it draws only when told of progress, so it never keeps a process alive.
 */

import { formatDuration } from '../core/clock.js';
import type { LiveLog } from '../core/log.js';
import { Rate } from './rate.js';
import { textWidth } from './text-width.js';

const REDRAW_SECONDS = 0.1;
const QUIET_SECONDS = 2;
const TENTH_SECONDS = 5;
const LINE_SECONDS = 30;
const BAR_WIDTHS = [30, 20, 10];

/** Shown behind the bar in this order; numbers with four significant digits. */
export type ProgressFields = Readonly<Record<string, number | string>>;

export interface ProgressOptions {
  /** What is done, for instance `pretrain`. */
  label: string;
  /** Steps of the whole way; undefined when nobody knows, and then there is no bar and no ETA. */
  total?: number;
  /** Steps that were done before, in a resumed run. */
  done?: number;
  /** What the rate counts; default `steps`. */
  unit?: string;
  /** Units in one step, for instance images in a batch; default 1. */
  unitsPerStep?: number;
  /** Seconds from any fixed moment, never going back. */
  now?: () => number;
}

export class Progress {
  readonly #console: LiveLog;
  readonly #label: string;
  readonly #total: number | undefined;
  readonly #unit: string;
  readonly #unitsPerStep: number;
  readonly #now: () => number;
  readonly #rate = new Rate();
  readonly #first: number;
  readonly #started: number;
  #done: number;
  #fields: ProgressFields = {};
  /** When the time that has not been added to the rate began; undefined while paused. */
  #since: number | undefined;
  #carried = 0;
  #waited = 0;
  #everWaited = false;
  #drawn = Number.NEGATIVE_INFINITY;
  #tenth: number | undefined;
  #finished = false;

  constructor(console: LiveLog, options: ProgressOptions) {
    this.#console = console;
    this.#label = options.label;
    this.#total = options.total;
    this.#unit = options.unit ?? 'steps';
    this.#unitsPerStep = options.unitsPerStep ?? 1;
    this.#now = options.now ?? (() => performance.now() / 1000);
    this.#first = options.done ?? 0;
    this.#done = this.#first;
    this.#started = this.#now();
    this.#since = this.#started;
    if (console.live) this.#draw(this.#started);
  }

  /**
   * Tells that `done` steps of the total are done by now. Ends a pause.
   *
   * @param fields replace those of the last call
   */
  update(done: number, fields: ProgressFields = {}): void {
    const now = this.#now();
    const seconds = this.#carried + (this.#since === undefined ? 0 : now - this.#since);
    this.#rate.add(done - this.#done, seconds, this.#waited);
    this.#carried = 0;
    this.#waited = 0;
    this.#since = now;
    this.#done = done;
    this.#fields = fields;
    if (this.#console.live) {
      if (now - this.#drawn >= REDRAW_SECONDS) this.#draw(now);
    } else if (this.#lineIsDue(now)) {
      this.#drawn = now;
      this.#console.info(this.#segments(this.#position()).join('  '));
    }
  }

  /** Adds time that the work spent waiting for data since the last update. */
  addWait(seconds: number): void {
    this.#waited += seconds;
    this.#everWaited = true;
  }

  /** Something else begins (an evaluation, a checkpoint): its time does not count for rate and ETA. */
  pause(): void {
    if (this.#since === undefined) return;
    this.#carried += this.#now() - this.#since;
    this.#since = undefined;
  }

  /** Ends a pause. */
  resume(): void {
    this.#since ??= this.#now();
  }

  /** Leaves one line that says how far the work came and how long it took. Later calls do nothing. */
  finish(fields: ProgressFields = this.#fields): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#console.setLive('');
    const took = formatDuration(this.#now() - this.#started);
    this.#console.info(`${this.#position()} in ${took}${formatFields(fields, '  ').join('')}`);
  }

  #lineIsDue(now: number): boolean {
    if (now - this.#started < QUIET_SECONDS || this.#finished) return false;
    const tenth = Math.floor(10 * (this.#share ?? 0));
    const silent = now - this.#drawn;
    // The end has a line of its own.
    if (this.#done === this.#total || silent < (tenth === this.#tenth ? LINE_SECONDS : TENTH_SECONDS))
      return false;
    this.#tenth = tenth;
    return true;
  }

  #draw(now: number): void {
    this.#drawn = now;
    this.#console.setLive(this.#fitted(this.#console.width));
  }

  /** With the longest bar that fits; where none does, without bar and without the last fields. */
  #fitted(width: number): string {
    const share = this.#share;
    if (share !== undefined) {
      for (const barWidth of BAR_WIDTHS) {
        const line = this.#segments(`${this.#label} ${bar(share, barWidth)}`).join('  ');
        if (textWidth(line) <= width) return line;
      }
    }
    const segments = this.#segments(this.#label);
    while (segments.length > 1 && textWidth(segments.join('  ')) > width) segments.pop();
    return segments.join('  ');
  }

  /** Head, percent, time left, rate, waiting and fields: what matters most comes first, as the end may be cut. */
  #segments(head: string): string[] {
    const total = this.#total;
    const speed = this.#rate.perSecond;
    const segments = [head];
    if (total !== undefined) {
      segments.push(`${Math.floor(100 * (this.#share ?? 0))} %`);
      if (speed > 0) segments.push(`ETA ${formatDuration((total - this.#done) / speed)}`);
    } else if (this.#console.live) {
      segments.push(`${this.#done}`);
    }
    if (speed > 0) segments.push(`${formatNumber(speed * this.#unitsPerStep)} ${this.#unit}/s`);
    if (this.#everWaited) segments.push(`waiting ${Math.round(100 * this.#rate.waitingShare)} %`);
    return [...segments, ...formatFields(this.#fields)];
  }

  /** Part of the way that is done; nothing to do is all done. */
  get #share(): number | undefined {
    return this.#total === 0 ? 1 : this.#total === undefined ? undefined : this.#done / this.#total;
  }

  #position(): string {
    const total = this.#total === undefined ? '' : `/${this.#total}`;
    const resumed = this.#first > 0 && this.#finished ? ` (${this.#done - this.#first} now)` : '';
    return `${this.#label} ${this.#done}${total}${resumed}`;
  }
}

function bar(share: number, width: number): string {
  const filled = Math.floor(Math.min(Math.max(share, 0), 1) * width);
  return `[${'#'.repeat(filled)}${'.'.repeat(width - filled)}]`;
}

function formatFields(fields: ProgressFields, before = ''): string[] {
  return Object.entries(fields).map(
    ([name, value]) => `${before}${name} ${typeof value === 'number' ? formatNumber(value) : value}`,
  );
}

/** Four significant digits; no exponent for anything between 0.0001 and a million. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size >= 1e6 || (size > 0 && size < 1e-4)) return value.toExponential(2);
  return size >= 1000 ? value.toFixed(0) : String(Number(value.toPrecision(4)));
}
