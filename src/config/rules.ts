/** Holds a configuration against what a schema says about fields together, beyond the range of each. */

import type { Assignment } from './assign.js';
import type { Schema } from './define-schema.js';
import type { Problems } from './problems.js';

/** Checks the rules whose fields are all good by themselves. */
export function checkRules<Config>(
  { rules }: Schema<Config>,
  config: Config,
  assignments: ReadonlyMap<string, Assignment>,
  problems: Problems,
): void {
  for (const { keys, problem, remedy } of rules) {
    if (keys.some((key) => problems.has(key))) continue;
    const text = problem(config);
    if (text === undefined) continue;
    const origins = keys.map((key) => assignments.get(key)?.origin).filter((origin) => origin !== 'default');
    problems.add(text, { where: [...new Set(origins)].join(' and '), key: keys[0], remedy });
  }
}

/**
 * Changes in `assignments` what does not go together, where all fields are good by themselves.
 *
 * @returns what there is to say about it
 */
export function adjust<Config>(
  schema: Schema<Config>,
  assignments: Map<string, Assignment>,
  problems: Problems,
): string[] {
  return schema.adjustments.flatMap(({ keys, adjust }) => {
    if (keys.some((key) => problems.has(key))) return [];
    const adjusted = adjust(schema.build(valuesOf(assignments)));
    if (adjusted === undefined) return [];
    for (const [path, value] of Object.entries(adjusted.values ?? {})) {
      const origin = `adjusted to ${keys.filter((key) => key !== path).join(', ')}`;
      assignments.set(path, { value, origin });
    }
    return [`${keys[0]}: ${adjusted.remark}`];
  });
}

export function valuesOf(assignments: ReadonlyMap<string, Assignment>): Map<string, unknown> {
  return new Map([...assignments].map(([path, { value }]) => [path, value]));
}
