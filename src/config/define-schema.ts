/**
 * A recipe's configuration as one value: its fields, what follows from them (paths, flags, types), and what must hold
 * between them. Everything else in this folder works on any schema.
 *
 * A field is written as a path, `train/optim/lr`, in messages and as a flag.
 */

import type { Leaf } from './leaf.js';

/** Fields as they nest in the YAML files. */
export interface Section {
  readonly [key: string]: Leaf | Section;
}

/** The values of these fields, nested in the same way. */
export type ValueOf<Node> =
  Node extends Leaf<infer T> ? T : { readonly [Key in keyof Node]: ValueOf<Node[Key]> };

/** `train/optim/lr` and all the others. */
export type PathOf<Node> = {
  [Key in keyof Node & string]: Node[Key] extends Leaf ? Key : `${Key}/${PathOf<Node[Key]>}`;
}[keyof Node & string];

export interface Rule<Config, Path extends string = string> {
  /** The fields that are compared; the first is the one that is blamed. */
  readonly keys: readonly Path[];
  /** What is wrong, if anything. */
  problem(config: Config): string | undefined;
  readonly remedy: string;
}

/** Changes a value that does not go with the others, or only says something: where refusing would not help anybody. */
export interface Adjustment<Config, Path extends string = string> {
  /** The fields that are compared; the first is the one that is spoken of. */
  readonly keys: readonly Path[];
  adjust(
    config: Config,
  ): { readonly remark: string; readonly values?: Readonly<Record<string, unknown>> } | undefined;
}

export type RuleOf<Fields> = Rule<ValueOf<Fields>, PathOf<Fields>>;
export type AdjustmentOf<Fields> = Adjustment<ValueOf<Fields>, PathOf<Fields>>;

/** Values by path that stand for one word: they count where neither file nor command line says otherwise. */
export type Presets = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

export interface SchemaExtras<Config, Path extends string> {
  readonly rules?: readonly Rule<Config, Path>[];
  readonly adjustments?: readonly Adjustment<Config, Path>[];
  /** Folder below `configs` that holds the package's recipes; default: that folder itself. */
  readonly recipes?: string;
  /** Other spellings of flags that are accepted. */
  readonly aliases?: Readonly<Record<string, Path>>;
  /** The miniature schedule of `--debug`: it has precedence even over the command line. */
  readonly debug?: Readonly<Partial<Record<Path, unknown>>>;
  /** A choice, and what each of its words stands for. */
  readonly presets?: { readonly key: Path; readonly values: Presets };
}

export interface Schema<Config = unknown> {
  readonly fields: Section;
  /** All leaves by path, in the order of the fields. */
  readonly leaves: ReadonlyMap<string, Leaf>;
  /** Paths of leaves and of sections. */
  readonly paths: ReadonlySet<string>;
  readonly recipes: string;
  readonly aliases: Readonly<Record<string, string>>;
  readonly rules: readonly Rule<Config>[];
  readonly adjustments: readonly Adjustment<Config>[];
  readonly debug: Readonly<Record<string, unknown>>;
  readonly presets: { readonly key: string; readonly values: Presets } | undefined;
  /** The configuration with these values by path; all leaves must be there and of their kind. */
  build(values: ReadonlyMap<string, unknown>): Config;
  /** The values of a configuration by path: the reverse of `build`. */
  flatten(config: Config): Map<string, unknown>;
}

/** The type of a complete configuration. */
export type ConfigOf<S> = S extends Schema<infer Config> ? Config : never;

export function defineSchema<Fields extends Section>(
  fields: Fields,
  extras: SchemaExtras<ValueOf<Fields>, PathOf<Fields>> = {},
): Schema<ValueOf<Fields>> {
  const { rules = [], adjustments = [], recipes = '', aliases = {}, debug = {}, presets } = extras;
  const leaves = new Map(leavesOf(fields));
  const paths = new Set([...leaves.keys()].flatMap(withParents));
  return {
    ...{ fields, leaves, paths, rules, adjustments, recipes, aliases, debug, presets },
    build: (values) => build(fields, '', values) as ValueOf<Fields>,
    flatten: (config) => new Map([...leaves.keys()].map((path) => [path, valueAt(config, path)])),
  };
}

export function isLeaf(node: Leaf | Section): node is Leaf {
  return typeof node.kind === 'string';
}

function* leavesOf(section: Section, prefix = ''): Generator<[string, Leaf]> {
  for (const [key, node] of Object.entries(section)) {
    if (isLeaf(node)) yield [prefix + key, node];
    else yield* leavesOf(node, `${prefix}${key}/`);
  }
}

/** `train`, `train/optim` and `train/optim/lr`. */
function withParents(path: string): string[] {
  const parts = path.split('/');
  return parts.map((_, i) => parts.slice(0, i + 1).join('/'));
}

function build(section: Section, prefix: string, values: ReadonlyMap<string, unknown>): unknown {
  return Object.fromEntries(
    Object.entries(section).map(([key, node]) => {
      const path = prefix + key;
      return [key, isLeaf(node) ? values.get(path) : build(node, `${path}/`, values)];
    }),
  );
}

function valueAt(config: unknown, path: string): unknown {
  return path.split('/').reduce<unknown>((node, key) => (node as Record<string, unknown>)[key], config);
}
