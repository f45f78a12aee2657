/** Settings in a checkpoint, so that a run that goes on with others says which. */

import type { Schema } from '../../config/define-schema.js';
import type { Log } from '../../core/log.js';
import type { FileDict, FileValue } from '../../formats/value.js';

/** @param which of the schema's paths: those that change what a step does @returns each value as JSON */
export function savedSettings<Config>(schema: Schema<Config>, config: Config, which: RegExp): FileDict {
  const values = [...schema.flatten(config)].filter(([path]) => which.test(path));
  return new Map(values.map(([path, value]) => [path, JSON.stringify(value)]));
}

/** A line for each that differs. @param before what the checkpoint has; of earlier versions, nothing */
export function sayChangedSettings(before: FileValue | undefined, settings: FileDict, log: Log): void {
  if (!(before instanceof Map)) return;
  for (const [path, now] of settings) {
    const then = before.get(path);
    if (then !== undefined && then !== now) log.warn(`${path} was ${then} and is now ${now}`);
  }
}
