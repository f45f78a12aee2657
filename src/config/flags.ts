/**
 * Every leaf as a command line flag, and the way from flags back to values.
 *
 * The command line parser registers each flag as a text (`string` in yargs) without a default, shows the default as
 * text, and hands over what it got: values are parsed here, so that all flags follow the same rules and a mistake is
 * reported like one in a file.
 */

import { type Assignment, reportValue } from './assign.js';
import { isRepeated, parseFlag } from './flag-value.js';
import type { LeafKind } from './leaf.js';
import type { Problems } from './problems.js';
import { LEAVES } from './schema.js';
import { nearestPath } from './suggest.js';

export interface FlagDefinition {
  /** `train/optim/lr` */
  readonly flag: string;
  readonly type: LeafKind;
  readonly description: string;
  readonly choices?: readonly string[];
  /** To be shown only: a parser that fills it in would override the file. */
  readonly default: unknown;
}

/** Other spellings that are accepted. The reference's README uses `--data/root`. */
const ALIASES: Readonly<Record<string, string>> = { 'data/root': 'dataset/root' };

/** All leaves, in the order of the schema. */
export const CONFIG_FLAGS: readonly FlagDefinition[] = [...LEAVES].map(([flag, leaf]) => ({
  flag,
  type: leaf.kind,
  description: leaf.description,
  ...(leaf.choices.length === 0 ? {} : { choices: leaf.choices }),
  default: leaf.default,
}));

/**
 * Writes the values of flags over those in `assignments`.
 *
 * @param overrides value by flag without dashes, as text or typed; undefined means not given
 */
export function assignFlags(
  overrides: Readonly<Record<string, unknown>>,
  assignments: Map<string, Assignment>,
  problems: Problems,
): void {
  const given = new Map<string, { flag: string; value: unknown }>();
  for (const [flag, raw] of Object.entries(overrides)) {
    if (raw === undefined) continue;
    const path = Object.hasOwn(ALIASES, flag) ? ALIASES[flag] : flag;
    const leaf = LEAVES.get(path);
    if (leaf === undefined) {
      const guess = nearestPath(flag, LEAVES.keys());
      const remedy = guess === undefined ? {} : { remedy: `did you mean --${guess}?` };
      problems.add('is not a known setting', { where: 'command line', key: `--${flag}`, ...remedy });
      continue;
    }
    const where = `command line --${flag}`;
    if (isRepeated(leaf, raw)) {
      problems.add('was given more than once', { where, key: path, value: raw });
      continue;
    }
    const parsed = parseFlag(leaf, raw);
    if (parsed === undefined) {
      const hint = raw === '' ? 'give it a value' : leaf.kind === 'pair' ? 'write it as 0.2,1.0' : undefined;
      reportValue(problems, { where, key: path, leaf, value: raw, hint });
      continue;
    }
    const other = given.get(path);
    if (other !== undefined && JSON.stringify(other.value) !== JSON.stringify(parsed.value)) {
      problems.add(`is the same setting as --${other.flag}, but the values differ`, {
        where,
        key: path,
        value: [other.value, parsed.value],
        remedy: 'give one of the two',
      });
    }
    given.set(path, { flag, value: parsed.value });
    assignments.set(path, { value: parsed.value, origin: where });
  }
}
