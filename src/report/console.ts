/**
 * The one writer to a terminal or pipe: log lines, and below them at most one live line that is redrawn in place.
 *
 * A file of its own because log lines and the progress bar share the last line of a terminal: whoever prints must first
 * clear it and then put it back. On a pipe, on a dumb terminal, or with `live: false`, there is no live line.
 */

import { stripVTControlCharacters } from 'node:util';
import type { LiveLog } from '../core/log.js';
import { visible } from '../core/visible.js';
import { cutToWidth } from './text-width.js';

/** What is needed of `process.stderr`. */
export interface TextStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

export type LogLevel = 'warn' | 'info' | 'debug';

export interface ConsoleOptions {
  /** Least important messages that are still printed; `warn` also switches the live line off. */
  level?: LogLevel;
  /** False prints plain lines even on a terminal. */
  live?: boolean;
  /** Read for `NO_COLOR` and `TERM`. */
  env?: Readonly<Record<string, string | undefined>>;
}

const CLEAR_LINE = '\r\x1b[2K';
const YELLOW = '\x1b[33m';
const PLAIN = '\x1b[39m';

export class Console implements LiveLog {
  /** Whether `setLive` has an effect. */
  readonly live: boolean;
  readonly #stream: TextStream;
  readonly #level: LogLevel;
  readonly #warning: string;
  #line = '';

  constructor(stream: TextStream, { level = 'info', live = true, env = process.env }: ConsoleOptions = {}) {
    const terminal = stream.isTTY === true && env.TERM !== 'dumb';
    const colours = terminal && (env.NO_COLOR === undefined || env.NO_COLOR === '');
    this.#stream = stream;
    this.#level = level;
    this.live = terminal && live && level !== 'warn';
    this.#warning = colours ? `${YELLOW}warning:${PLAIN}` : 'warning:';
  }

  /** Columns that a live line may take; the last one is left free, as some terminals wrap when it is filled. */
  get width(): number {
    return Math.max((this.#stream.columns ?? 80) - 1, 1);
  }

  info(message: string): void {
    if (this.#level !== 'warn') this.#print(message);
  }

  warn(message: string): void {
    this.#print(message, `${this.#warning} `);
  }

  debug(message: string): void {
    if (this.#level === 'debug') this.#print(message);
  }

  /** Replaces the live line; an empty text removes it. */
  setLive(text: string): void {
    if (!this.live || (text === '' && this.#line === '')) return;
    this.#line = cutToWidth(
      visible(stripVTControlCharacters(text).replaceAll(/\s*[\r\n]\s*/g, ' ')),
      this.width,
    );
    this.#stream.write(CLEAR_LINE + this.#line);
  }

  #print(text: string, prefix = ''): void {
    const shown = prefix + visible(text);
    this.#stream.write(
      this.#line === '' ? `${shown}\n` : `${CLEAR_LINE}${shown}\n${cutToWidth(this.#line, this.width)}`,
    );
  }
}
