/**
 * One YAML text as values with positions: YAML 1.2 core schema (`1e-6` is a number, `yes` a text) with merge keys.
 *
 * The only file that parses YAML. js-yaml leaves merge keys out unless their tag is added. Keys given twice are allowed
 * here and listed, so that they can be reported together with everything else.
 */

import { CORE_SCHEMA, constructFromEvents, type Event, mergeTag, parseEvents, YAMLException } from 'js-yaml';
import { errorMessage, UserError } from '../core/errors.js';
import { type Duplicate, lineOf, readPositions } from './yaml-positions.js';

const YAML_SCHEMA = CORE_SCHEMA.withTags(mergeTag);

export interface YamlDocument {
  /** The top-level mapping. Aliases may make it cyclic. */
  readonly value: Readonly<Record<string, unknown>>;
  readonly duplicates: readonly Duplicate[];
  /** Line of a key, counted from 1. */
  line(path: readonly string[]): number;
}

/**
 * @param file name for messages
 * @throws UserError when the text is empty, broken, holds several documents, or is no mapping
 */
export function parseYaml(text: string, file: string): YamlDocument {
  const { events, documents } = parse(text, file);
  if (documents.length > 1) {
    throw new UserError(`holds ${documents.length} YAML documents, but one is needed`, {
      where: file,
      remedy: 'remove the lines `---` between them, or use a file for each',
    });
  }
  const value = documents[0] ?? null;
  if (value === null) {
    throw new UserError('is empty', {
      where: file,
      remedy: 'write keys and values; `_base_: other.yaml` starts from another file',
    });
  }
  const { root, duplicates } = readPositions(text, events);
  if (!isMapping(value)) {
    const kind = Array.isArray(value) ? 'a list' : 'a single value';
    throw new UserError(`must hold keys and values, but holds ${kind}`, { where: `${file}:${root.line}` });
  }
  return { value, duplicates, line: (path) => lineOf(root, path) };
}

export function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parse(source: string, file: string): { events: Event[]; documents: unknown[] } {
  try {
    const events = parseEvents(source, {});
    return { events, documents: constructFromEvents(events, { source, schema: YAML_SCHEMA, json: true }) };
  } catch (error) {
    throw explain(file, error);
  }
}

function explain(file: string, error: unknown): UserError {
  const known = error instanceof YAMLException;
  const mark = known ? error.mark : undefined;
  const reason = known ? error.reason : errorMessage(error);
  const remedy = reason.includes('tab character')
    ? 'indent with spaces; YAML does not allow tabs'
    : undefined;
  return new UserError(`is not valid YAML: ${reason}`, {
    where: mark === undefined ? file : `${file}:${mark.line + 1}:${mark.column + 1}`,
    ...(remedy === undefined ? {} : { remedy }),
    cause: error,
  });
}
