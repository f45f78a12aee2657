/** Results of commands. Standard output is theirs alone; what is said on the way goes to standard error. */

import { visible } from '../core/visible.js';

export function print(text: string): void {
  process.stdout.write(`${visible(text)}\n`);
}

/** Prints a report as JSON, or as a text for people. */
export function printReport<T>(report: T, json: boolean, text: (report: T) => string): void {
  print(json ? JSON.stringify(report) : text(report));
}
