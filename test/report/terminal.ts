/** A terminal (or pipe) that remembers what was written, and a clock that is set by hand. */

import type { TextStream } from '../../src/report/console.js';

export class FakeTerminal implements TextStream {
  readonly isTTY: boolean;
  columns = 80;
  /** Every piece as it was written. */
  readonly written: string[] = [];
  time = 0;
  readonly now = (): number => this.time;

  constructor(isTTY: boolean) {
    this.isTTY = isTTY;
  }

  write(text: string): void {
    this.written.push(text);
  }

  /** What one sees: the lines after carriage returns and clearing; the last one is where the cursor stands. */
  get screen(): string[] {
    const lines = this.written.join('').split('\n');
    return lines.map((line) => line.split('\r\x1b[2K').at(-1) ?? '');
  }
}
