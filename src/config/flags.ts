/**
 * From flags back to values.
 *
 * The command line parser registers each flag as a text (`string` in yargs) without a default, shows the default as
 * text, and hands over what it got: values are parsed here, so that all flags follow the same rules and a mistake is
 * reported like one in a file.
 */

import { type Assignment, reportValue } from './assign.js';
import type { Schema } from './define-schema.js';
import { isRepeated, listForm, parseFlag } from './flag-value.js';
import type { Problems } from './problems.js';
import { nearestPath } from './suggest.js';

/**
 * Writes the values of flags over those in `assignments`.
 *
 * @param overrides value by flag without dashes, as text or typed; undefined means not given
 */
export function assignFlags(
  { leaves, aliases }: Schema,
  overrides: Readonly<Record<string, unknown>>,
  assignments: Map<string, Assignment>,
  problems: Problems,
): void {
  const given = new Map<string, { flag: string; value: unknown }>();
  for (const [flag, raw] of Object.entries(overrides)) {
    if (raw === undefined) continue;
    const path = Object.hasOwn(aliases, flag) ? aliases[flag] : flag;
    const leaf = leaves.get(path);
    if (leaf === undefined) {
      const guess = nearestPath(flag, leaves.keys());
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
      const form = listForm(leaf.kind);
      const hint = raw === '' ? 'give it a value' : form && `write it as ${form}`;
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
