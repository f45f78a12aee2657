/**
 * A resolved configuration as text: every value, and behind it where it came from. The text is itself a configuration
 * file with the same values, and is what a run keeps as `config.yaml`.
 */

import { isLeaf, type Section } from './define-schema.js';
import type { Leaf } from './leaf.js';
import type { ResolvedConfig } from './load.js';

/** Comments stand below each other, unless a value is longer than this. */
const WIDEST = 60;

/** Ends with a line break. */
export function renderConfig<Config>({
  schema,
  config,
  origins,
  configName,
}: ResolvedConfig<Config>): string {
  const lines = [...linesOf(schema.fields, '', schema.flatten(config))];
  const widths = lines.filter(({ path }) => path !== undefined).map(({ text }) => text.length);
  const column = Math.min(Math.max(...widths), WIDEST);
  const body = lines.map(({ text, path }) => {
    const origin = path === undefined ? undefined : origins.get(path);
    return origin === undefined ? text : `${text.padEnd(column)}  # ${oneLine(origin)}`;
  });
  const head = `# Resolved configuration of ${oneLine(configName)}; behind each value, where it came from.`;
  return `${[head, ...body].join('\n')}\n`;
}

function* linesOf(
  section: Section,
  prefix: string,
  values: ReadonlyMap<string, unknown>,
  indent = '',
): Generator<{ text: string; path?: string }> {
  for (const [key, node] of Object.entries(section)) {
    const path = prefix + key;
    if (isLeaf(node)) {
      yield { text: `${indent}${key}: ${renderValue(node, values.get(path))}`, path };
    } else {
      yield { text: `${indent}${key}:` };
      yield* linesOf(node, `${path}/`, values, `${indent}  `);
    }
  }
}

/** Texts are quoted, so that none is taken for a number or for null. */
function renderValue(leaf: Leaf, value: unknown): string {
  if (Array.isArray(value))
    return `[${value.map((item) => (leaf.kind === 'texts' ? quote(item) : item)).join(', ')}]`;
  return leaf.kind === 'string' && value !== null ? quote(String(value)) : String(value);
}

/** JSON's quotes and escapes are YAML's; YAML allows fewer characters unescaped. */
function quote(text: string): string {
  return JSON.stringify(text).replaceAll(
    /[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]/g,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Paths may hold line breaks and control characters; a comment may not. */
function oneLine(text: string): string {
  const quoted = quote(text);
  return quoted.includes('\\') ? quoted : text;
}
