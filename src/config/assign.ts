/**
 * Holds the values of one YAML file against the schema: each good value is assigned to its path, everything else is
 * reported with its line, the nearest known key and what is allowed.
 */

import { nearest } from '../core/nearest.js';
import { isLeaf, type Schema, type Section } from './define-schema.js';
import { BASE_KEY, type Layer } from './layers.js';
import { accepts, allowed, isList, type Leaf, LIST_FORMS } from './leaf.js';
import type { Problems } from './problems.js';
import { nearestPath } from './suggest.js';
import { isMapping } from './yaml-document.js';

export interface Assignment {
  readonly value: unknown;
  /** `default`, `FILE:LINE` or `command line --FLAG`. */
  readonly origin: string;
}

/** Writes the values of a file over those in `assignments`. */
export function assignLayer(
  schema: Schema,
  layer: Layer,
  assignments: Map<string, Assignment>,
  problems: Problems,
): void {
  const { file, document } = layer;
  for (const { key, line, firstLine } of document.duplicates) {
    const remedy = key.split('/').at(-1) === '<<' ? 'merge several with `<<: [*a, *b]`' : 'keep one of them';
    problems.add(`is given twice in one mapping, first in line ${firstLine}`, {
      where: `${file}:${line}`,
      key,
      remedy,
    });
  }
  assignSection(schema.fields, [], document.value);

  function assignSection(section: Section, prefix: readonly string[], values: Record<string, unknown>): void {
    for (const [name, value] of Object.entries(values)) {
      if (prefix.length === 0 && name === BASE_KEY) continue;
      const parts = [...prefix, name];
      const key = parts.join('/');
      const where = `${file}:${document.line(parts)}`;
      const node = Object.hasOwn(section, name) ? section[name] : undefined;
      if (node === undefined) {
        problems.add('is not a known key', {
          where,
          key,
          remedy: remedyForUnknown(schema, key, prefix, section),
        });
      } else if (isLeaf(node)) {
        if (accepts(node, value)) assignments.set(key, { value, origin: where });
        else reportValue(problems, { where, key, leaf: node, value, hint: yamlHint(node, value) });
      } else if (isMapping(value)) {
        assignSection(node, parts, value);
      } else if (value !== null) {
        // A section of which everything is commented out is null, and says nothing.
        problems.add(`is a section with the keys ${Object.keys(node).join(', ')}`, { where, key, value });
      }
    }
  }
}

function remedyForUnknown(
  { leaves, paths }: Schema,
  key: string,
  prefix: readonly string[],
  section: Section,
): string {
  if (leaves.has(key)) return `write it nested: ${nested(key)}`;
  const guess = nearestPath(key, paths);
  const known = `${prefix.join('/') || 'the top level'} takes ${Object.keys(section).join(', ')}`;
  return guess === undefined ? known : `did you mean ${guess}? ${known}`;
}

function nested(path: string): string {
  const [head, ...rest] = path.split('/');
  return rest.length === 0 ? `${head}: ...` : `${head}: { ${nested(rest.join('/'))} }`;
}

/** Reports a value that a leaf does not accept. */
export function reportValue(
  problems: Problems,
  {
    leaf,
    hint,
    ...details
  }: { where: string; key: string; leaf: Leaf; value: unknown; hint: string | undefined },
): void {
  const guess =
    leaf.kind === 'choice' && typeof details.value === 'string'
      ? nearest(details.value, leaf.choices)
      : undefined;
  const remedy = guess === undefined ? hint : `did you mean ${guess}?`;
  problems.add(`must be ${allowed(leaf)}`, { ...details, ...(remedy === undefined ? {} : { remedy }) });
}

/** YAML has types of its own, and what looks like a number may be a text. */
function yamlHint({ kind }: Leaf, value: unknown): string | undefined {
  if (isList(kind)) return `write it as ${LIST_FORMS[kind]}`;
  if (typeof value !== 'string') return kind === 'string' && value !== null ? 'put it in quotes' : undefined;
  if (kind === 'boolean') return 'YAML 1.2 writes it true or false, without quotes';
  const isNumber = value.trim() !== '' && Number.isFinite(Number(value));
  return isNumber && (kind === 'integer' || kind === 'number')
    ? 'write the number without quotes'
    : undefined;
}
