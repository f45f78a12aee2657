/** The schemas that editors check recipes by: up to date, and of one mind with the leaves. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { defineSchema } from '../../src/config/define-schema.js';
import { accepts, integers, type Leaf, nullable, number, pair, string } from '../../src/config/leaf.js';
import { DETECT } from '../../src/config/schemas/detect.js';
import { PRETRAIN } from '../../src/config/schemas/pretrain.js';
import { RESULTS } from '../../src/config/schemas/results.js';
import { jsonSchema, schemaFile } from '../../tools/json-schema/json-schema.js';

const CONFIGS = join(import.meta.dirname, '../../configs');

interface Node {
  type?: string | string[];
  enum?: unknown[];
  items?: Node;
  properties?: Record<string, Node>;
  [key: string]: unknown;
}

describe.each([
  ['pretrain', PRETRAIN],
  ['detect', DETECT],
  ['results', RESULTS],
])('%s', (_, schema) => {
  it('is up to date: if not, run node dist/tools/make-json-schema.js', () => {
    expect(readFileSync(join(CONFIGS, schemaFile(schema)), 'utf8')).toBe(jsonSchema(schema));
  });

  it('has every field, with its description and default', () => {
    const found = [...leavesOf(JSON.parse(jsonSchema(schema)) as Node)];
    expect(found.map(([path]) => path)).toEqual(['_base_', ...schema.leaves.keys()]);
    for (const [path, node] of found.slice(1)) {
      const leaf = schema.leaves.get(path);
      expect([node.description, node.default], path).toEqual([leaf?.description, leaf?.default]);
    }
  });

  it('is named by the first line of each recipe', () => {
    const folder = join(CONFIGS, schema.recipes);
    const recipes = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
    expect(recipes.length).toBeGreaterThan(2);
    for (const name of recipes) {
      const [first] = readFileSync(join(folder, name), 'utf8').split('\n');
      expect(first, name).toBe('# yaml-language-server: $schema=schema.json');
    }
  });
});

it('allows what a leaf accepts', () => {
  const leaves: Record<string, Leaf> = {
    share: number(0.5, { above: 0, max: 1 }, ''),
    ratio: nullable(number(0.5, { min: 0, below: 1 }, ''), null),
    scale: pair([0.2, 1], { above: 0 }, ''),
    steps: integers([], { min: 1 }, ''),
    root: nullable(string('', ''), null),
    top: string('', ''),
  };
  const { properties = {} } = JSON.parse(jsonSchema(defineSchema(leaves))) as Node;
  const values = [null, 0, 0.5, 1, 2, '', 'a', [], [1], [0.2, 1], [0, 1], [1, 2, 3], true];
  for (const [name, leaf] of Object.entries(leaves)) {
    for (const value of values) {
      expect(allows(properties[name], value), `${name} ${JSON.stringify(value)}`).toBe(accepts(leaf, value));
    }
  }
});

function* leavesOf(node: Node, prefix = ''): Generator<[string, Node]> {
  for (const [key, child] of Object.entries(node.properties ?? {})) {
    if (child.properties === undefined) yield [prefix + key, child];
    else yield* leavesOf(child, `${prefix}${key}/`);
  }
}

/** As much of JSON Schema as ours use. */
function allows(node: Node, value: unknown): boolean {
  const types = [node.type].flat();
  if (value === null) return types.includes('null');
  if (typeof value === 'string')
    return types.includes('string') && value.length >= Number(node.minLength ?? 0);
  if (typeof value === 'number') return isNumber(node, types, value);
  if (!Array.isArray(value)) return types.includes(typeof value);
  const { items = {}, minItems = 0, maxItems = Infinity } = node;
  const fits = value.length >= Number(minItems) && value.length <= Number(maxItems);
  return types.includes('array') && fits && value.every((item) => allows(items, item));
}

function isNumber(node: Node, types: (string | undefined)[], value: number): boolean {
  const {
    minimum = -Infinity,
    exclusiveMinimum = -Infinity,
    maximum = Infinity,
  } = node as Record<string, number>;
  const { exclusiveMaximum = Infinity } = node as Record<string, number>;
  const isOfType = types.includes('number') || (types.includes('integer') && Number.isInteger(value));
  return (
    isOfType && value >= minimum && value > exclusiveMinimum && value <= maximum && value < exclusiveMaximum
  );
}
