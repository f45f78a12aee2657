/** A configuration's fields as a JSON Schema (draft 7), by which editors complete and check its YAML files. */

import { isLeaf, type Schema, type Section } from '../../src/config/define-schema.js';
import { isList, type Leaf, type LeafKind } from '../../src/config/leaf.js';

interface SectionSchema {
  readonly type: readonly string[];
  readonly additionalProperties: boolean;
  readonly properties: Readonly<Record<string, object>>;
}

/** Files that are generated, below `configs`. */
export function schemaFile({ recipes }: Schema): string {
  return `${recipes}${recipes === '' ? '' : '/'}schema.json`;
}

/** The file's text. What holds between fields is not in it. */
export function jsonSchema(schema: Schema): string {
  const base = {
    type: 'string',
    description: 'file or recipe whose values count where this file says nothing',
  };
  const { properties, ...rest } = sectionSchema(schema.fields);
  const draft = 'http://json-schema.org/draft-07/schema#';
  const whole = { $schema: draft, ...rest, type: 'object', properties: { _base_: base, ...properties } };
  return `${JSON.stringify(whole, null, 1)}\n`;
}

/** A section of which everything is commented out is null. */
function sectionSchema(section: Section): SectionSchema {
  const fields: [string, object][] = Object.entries(section).map(([key, node]) => [
    key,
    isLeaf(node) ? leafSchema(node) : sectionSchema(node),
  ]);
  const properties = Object.fromEntries(fields);
  return { type: ['object', 'null'], additionalProperties: false, properties };
}

function leafSchema(leaf: Leaf): object {
  const { description, default: value } = leaf;
  return { description, default: value, ...valueSchema(leaf) };
}

const TYPES: Readonly<Record<LeafKind, string>> = {
  boolean: 'boolean',
  integer: 'integer',
  number: 'number',
  string: 'string',
  choice: 'string',
  pair: 'array',
  integers: 'array',
  numbers: 'array',
  texts: 'array',
};

function valueSchema(leaf: Leaf): object {
  const { kind, nullable, choices } = leaf;
  const type = nullable ? [TYPES[kind], 'null'] : TYPES[kind];
  if (kind === 'choice') return { enum: nullable ? [...choices, null] : choices };
  if (kind === 'string') return nullable ? { type, minLength: 1 } : { type };
  if (!isList(kind)) return { type, ...bounds(leaf) };
  if (kind === 'texts') return { type, items: { type: 'string', minLength: 1 } };
  const items = { type: kind === 'integers' ? 'integer' : 'number', ...bounds(leaf) };
  return { type, items, ...(kind === 'pair' && { minItems: 2, maxItems: 2 }) };
}

function bounds({ range: { min, above, max, below } }: Leaf): object {
  return {
    ...(min !== undefined && { minimum: min }),
    ...(above !== undefined && { exclusiveMinimum: above }),
    ...(max !== undefined && { maximum: max }),
    ...(below !== undefined && { exclusiveMaximum: below }),
  };
}
