/** Numbers on the command line: all arrive as texts, and are checked here. */

import { UserError } from '../core/errors.js';

/** @throws UserError unless the text is a whole number from `least` to `most` */
export function wholeNumber(key: string, text: string, most: number, least = 1): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new UserError(`must be a whole number from ${least} to ${most}`, { key, value: text });
}

/** @throws UserError unless the text is a number above 0 */
export function positiveNumber(key: string, text: string): number {
  const value = Number(text);
  if (/^[\d.]/.test(text) && value > 0 && Number.isFinite(value)) return value;
  throw new UserError('must be a number above 0', { key, value: text });
}
