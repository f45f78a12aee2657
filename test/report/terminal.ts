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
    const lines = [''];
    for (const piece of this.written.join('').split(/(\r\x1b\[2K|\n)/)) {
      if (piece === '\n') lines.push('');
      else if (piece.startsWith('\r')) lines[lines.length - 1] = '';
      else lines[lines.length - 1] += piece;
    }
    return lines;
  }
}
