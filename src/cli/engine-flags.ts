/** Where it is computed, for commands without a configuration. */

import type { Argv } from 'yargs';
import { parseFlag } from '../config/flag-value.js';
import { allowed, type Leaf } from '../config/leaf.js';
import { ENGINE, type EngineConfig } from '../config/schemas/sections.js';
import { UserError } from '../core/errors.js';

const ENGINE_FLAGS = ['device', 'threads'] as const;

export function withEngine<T>(yargs: Argv<T>): Argv<T> {
  let result: Argv = yargs as Argv;
  for (const key of ENGINE_FLAGS) {
    const { description, default: value } = ENGINE[key];
    const meaning = description.replace(/; ours$/, '');
    result = result.option(`engine/${key}`, {
      type: 'string',
      requiresArg: true,
      describe: `${meaning}; default: ${value}`,
    });
  }
  return result as Argv<T>;
}

/** @throws UserError for a value that is not allowed */
export function readEngine(argv: Readonly<Record<string, unknown>>): EngineConfig {
  return {
    device: optionValue(ENGINE.device, 'engine/device', argv),
    threads: optionValue(ENGINE.threads, 'engine/threads', argv),
    precision: ENGINE.precision.default,
  };
}

function optionValue<T>(leaf: Leaf<T>, flag: string, argv: Readonly<Record<string, unknown>>): T {
  if (argv[flag] === undefined) return leaf.default;
  const parsed = parseFlag(leaf, argv[flag]);
  if (parsed !== undefined) return parsed.value;
  throw new UserError(`must be ${allowed(leaf)}`, { key: `--${flag}`, value: argv[flag] });
}
