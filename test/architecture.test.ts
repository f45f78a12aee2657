/**
 * The direction of dependencies, read from the import statements of src/.
 *
 * `MAY_IMPORT` is the whole rule: what a folder may import besides itself and core. A type import does not count, as it
 * is gone when the program runs, with two exceptions: the config is read by recipes and cli only, even as a type, and a
 * package that belongs to one folder is unknown elsewhere. Loading with `import()` and `require` counts.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join, posix, relative, sep } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..');

const BOTTOM = ['image', 'pycocotools', 'formats'];
const ENGINE = ['engine', ...BOTTOM];
const OPS = ['ops', ...ENGINE];
const NETWORK = ['nn', 'solver', ...OPS];
const PARTS = ['models', 'views', 'data', 'checkpoint', ...NETWORK];
const SHOWN = ['report', ...PARTS];
const WORK = ['train', 'evaluation', 'config', ...SHOWN];

const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  core: [],
  tensorflow: [],
  image: [],
  pycocotools: [],
  formats: [],
  engine: ['tensorflow', ...BOTTOM],
  ops: ENGINE,
  nn: OPS,
  solver: OPS,
  models: ['views', ...NETWORK],
  views: ['ops', 'image'],
  data: ['image', 'pycocotools'],
  checkpoint: ['formats', 'models'],
  train: SHOWN,
  evaluation: SHOWN,
  config: [],
  report: ['image'],
  recipes: WORK,
  cli: ['recipes', ...WORK],
};

/** Who may import a package; their types do not leave the folder either. */
const PACKAGE_OWNERS: Readonly<Record<string, readonly string[]>> = {
  koffi: ['tensorflow'],
  sharp: ['image'],
  yargs: ['cli'],
  'js-yaml': ['config'],
  '#tfjs': ['engine'],
  '@tensorflow/tfjs-core': ['engine'],
  '@tensorflow/tfjs-node-gpu': ['engine'],
};

/** Bundled by the build, and not installed with scrl: only their types may be imported. */
const BUNDLED = ['@tensorflow/tfjs-core', '@tensorflow/tfjs-node-gpu'];

interface Import {
  specifier: string;
  typeOnly: boolean;
}

/** A module of src/, its path relative to src with slashes. */
interface Module {
  path: string;
  imports: Import[];
}

/** Statements begin a line, as the formatter leaves them; that keeps comments and texts out. */
function readImports(source: string): Import[] {
  const found: Import[] = [];
  const statement = /^(?:import|export)\s+(type\s+(?!from\b))?(?:[\w*{][^;'"]*?\sfrom\s+)?['"]([^'"]+)['"]/gm;
  for (const [, type, specifier] of source.matchAll(statement)) {
    found.push({ specifier, typeOnly: type !== undefined });
  }
  const code = source.replaceAll(/^\s*(?:\*|\/\*|\/\/).*$/gm, '');
  const call = /(typeof\s+)?\b(?:import|require|require\.resolve)\(\s*['"]([^'"]+)['"]\s*\)/g;
  for (const [, type, specifier] of code.matchAll(call)) {
    found.push({ specifier, typeOnly: type !== undefined });
  }
  return found;
}

/** Path in src of a relative import. */
function resolveFrom(path: string, specifier: string): string {
  return posix.join(posix.dirname(path), specifier).replace(/\.js$/, '.ts');
}

/** `engine` for `engine/step.ts`; empty for a file directly in src. */
function folderOf(path: string): string {
  const slash = path.indexOf('/');
  return slash < 0 ? '' : path.slice(0, slash);
}

/** `@tensorflow/tfjs-core` for `@tensorflow/tfjs-core/dist/x.js`. */
function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

function wrongRelative(
  from: string,
  { specifier, typeOnly }: Import,
  paths: ReadonlySet<string>,
): string | undefined {
  const target = resolveFrom(from, specifier);
  if (target.startsWith('../')) return 'leaves src';
  if (!specifier.endsWith('.js')) return 'does not end in .js';
  if (!paths.has(target)) return 'does not exist';
  const folder = folderOf(from);
  const other = folderOf(target);
  // A file directly in src is a public face: it may import all, and nothing imports it.
  if (other === '') return 'is a public face, which nothing in src imports';
  if (folder === '' || folder === other || other === 'core') return undefined;
  if (typeOnly && (other !== 'config' || ['recipes', 'cli'].includes(folder))) return undefined;
  return MAY_IMPORT[folder]?.includes(other) ? undefined : `${folder} may not import ${other}`;
}

function wrongPackage(
  from: string,
  { specifier, typeOnly }: Import,
  dependencies: ReadonlySet<string>,
): string | undefined {
  if (specifier.startsWith('node:')) return undefined;
  if (builtinModules.includes(specifier)) return 'is written without node:';
  const name = packageOf(specifier);
  if (BUNDLED.includes(name) ? !typeOnly : !dependencies.has(name)) {
    return 'is not in dependencies of package.json';
  }
  const owners = PACKAGE_OWNERS[name];
  if (owners === undefined || owners.includes(folderOf(from))) return undefined;
  return `belongs to ${owners.join(', ')}`;
}

function violations(modules: readonly Module[], dependencies: ReadonlySet<string>): string[] {
  const paths = new Set(modules.map(({ path }) => path));
  const folders = new Set(modules.map(({ path }) => folderOf(path)));
  const unknown = [...folders].filter((folder) => folder !== '' && !(folder in MAY_IMPORT));
  return [
    ...unknown.map((folder) => `src/${folder} has no line in MAY_IMPORT`),
    ...modules.flatMap(({ path, imports }) =>
      imports.flatMap((item) => {
        const check = item.specifier.startsWith('.') ? wrongRelative : wrongPackage;
        const wrong = check(path, item, check === wrongRelative ? paths : dependencies);
        return wrong === undefined ? [] : [`src/${path}: '${item.specifier}' ${wrong}`];
      }),
    ),
  ];
}

/** One cycle of value imports, as the list of its files with the first repeated at the end. */
function findCycle(modules: readonly Module[]): string[] | undefined {
  const targets = new Map(
    modules.map(({ path, imports }) => [
      path,
      imports
        .filter(({ specifier, typeOnly }) => specifier.startsWith('.') && !typeOnly)
        .map(({ specifier }) => resolveFrom(path, specifier)),
    ]),
  );
  const finished = new Set<string>();
  const visit = (path: string, trail: readonly string[]): string[] | undefined => {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path];
    if (finished.has(path)) return undefined;
    for (const target of targets.get(path) ?? []) {
      const cycle = visit(target, [...trail, path]);
      if (cycle !== undefined) return cycle;
    }
    finished.add(path);
    return undefined;
  };
  for (const path of targets.keys()) {
    const cycle = visit(path, []);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}

function readSource(): Module[] {
  const src = join(ROOT, 'src');
  return readdirSync(src, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((file) => ({
      path: relative(src, file).split(sep).join('/'),
      imports: readImports(readFileSync(file, 'utf8')),
    }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

function readDependencies(): Set<string> {
  const text = readFileSync(join(ROOT, 'package.json'), 'utf8');
  const { dependencies, imports } = JSON.parse(text) as { dependencies: object; imports: object };
  return new Set([...Object.keys(dependencies), ...Object.keys(imports)]);
}

describe('src', () => {
  it('imports in the allowed direction only', () => {
    expect(violations(readSource(), readDependencies())).toEqual([]);
  });

  it('has no cycles', () => {
    expect(findCycle(readSource())).toBeUndefined();
  });
});

describe('the rule itself', () => {
  it('has no cycles between folders', () => {
    const folders = Object.entries(MAY_IMPORT).map(([folder, others]) => ({
      path: `${folder}/index.ts`,
      imports: others.map((other) => ({ specifier: `../${other}/index.js`, typeOnly: false })),
    }));
    expect(findCycle(folders)).toBeUndefined();
  });

  it('reads every form of import', () => {
    const source = [
      "import a from './a.js';",
      "import { b, type B } from './b.js';",
      "import type { C } from './c.js';",
      'import {\n  d,\n  e,\n} from "./d.js";',
      "import './e.js';",
      "export * from './f.js';",
      "export type { G } from './g.js';",
      "const h = await import('./h.js');",
      "const i = require('./i.js') as typeof import('./j.js');",
      "/**\n * import { k } from './k.js';\n * and import('./l.js')\n */",
      "export const text = 'from';",
    ].join('\n');
    const found = readImports(source);
    const named = (typeOnly: boolean): string =>
      found
        .filter((item) => item.typeOnly === typeOnly)
        .map(({ specifier }) => specifier[2])
        .join('');
    expect(named(false)).toBe('abdefhi');
    expect(named(true)).toBe('cgj');
  });

  const check = (path: string, line: string, others: string[] = []): string[] => {
    const modules = [
      { path, imports: readImports(line) },
      ...others.map((other) => ({ path: other, imports: [] })),
    ];
    return violations(modules, new Set(['sharp', '#tfjs']));
  };

  it('lets a folder import itself, core and what is to its right', () => {
    expect(check('engine/a.ts', "import { b } from './b.js';", ['engine/b.ts'])).toEqual([]);
    expect(check('engine/a.ts', "import { b } from '../core/b.js';", ['core/b.ts'])).toEqual([]);
    expect(check('recipes/a.ts', "import { b } from '../ops/b.js';", ['ops/b.ts'])).toEqual([]);
    expect(check('index.ts', "export * from './cli/b.js';", ['cli/b.ts'])).toEqual([]);
  });

  it('refuses the other direction and neighbours, but not their types', () => {
    expect(check('ops/a.ts', "import { b } from '../nn/b.js';", ['nn/b.ts'])).toEqual([
      "src/ops/a.ts: '../nn/b.js' ops may not import nn",
    ]);
    expect(check('train/a.ts', "import { b } from '../evaluation/b.js';", ['evaluation/b.ts'])).toHaveLength(
      1,
    );
    expect(check('train/a.ts', "import type { b } from '../evaluation/b.js';", ['evaluation/b.ts'])).toEqual(
      [],
    );
    expect(check('models/a.ts', "import { b } from '../tensorflow/b.js';", ['tensorflow/b.ts'])).toHaveLength(
      1,
    );
  });

  it('keeps the config from the parts, even its types', () => {
    expect(check('train/a.ts', "import type { b } from '../config/b.js';", ['config/b.ts'])).toHaveLength(1);
    expect(check('cli/a.ts', "import type { b } from '../config/b.js';", ['config/b.ts'])).toEqual([]);
    expect(check('config/a.ts', "import type { b } from '../train/b.js';", ['train/b.ts'])).toEqual([]);
    expect(check('config/a.ts', "import { b } from '../train/b.js';", ['train/b.ts'])).toHaveLength(1);
  });

  it('keeps packages in their folders', () => {
    expect(check('image/a.ts', "import sharp from 'sharp';")).toEqual([]);
    expect(check('data/a.ts', "import type sharp from 'sharp';")).toEqual([
      "src/data/a.ts: 'sharp' belongs to image",
    ]);
    expect(check('train/a.ts', "import tf from '#tfjs';")).toHaveLength(1);
    expect(check('train/a.ts', "import type tf from '@tensorflow/tfjs-core';")).toHaveLength(1);
    expect(check('engine/a.ts', "import tf from '#tfjs';")).toEqual([]);
    expect(check('engine/a.ts', "import type tf from '@tensorflow/tfjs-core/dist/x.js';")).toEqual([]);
    expect(check('engine/a.ts', "import tf from '@tensorflow/tfjs-core';")).toEqual([
      "src/engine/a.ts: '@tensorflow/tfjs-core' is not in dependencies of package.json",
    ]);
    expect(check('core/a.ts', "import x from 'left-pad';")).toHaveLength(1);
    expect(check('core/a.ts', "import x from 'fs';")).toEqual([
      "src/core/a.ts: 'fs' is written without node:",
    ]);
  });

  it('refuses tools, missing files and unknown folders', () => {
    expect(check('cli/a.ts', "import x from '../../tools/x.js';")).toEqual([
      "src/cli/a.ts: '../../tools/x.js' leaves src",
    ]);
    expect(check('cli/a.ts', "import x from './x.js';")).toEqual(["src/cli/a.ts: './x.js' does not exist"]);
    expect(check('utils/a.ts', '')).toEqual(['src/utils has no line in MAY_IMPORT']);
  });

  it('finds a cycle through three files', () => {
    const module = (path: string, to: string): Module => ({
      path,
      imports: [{ specifier: to, typeOnly: false }],
    });
    expect(findCycle([module('a.ts', './b.js'), module('b.ts', './c.js'), module('c.ts', './b.js')])).toEqual(
      ['b.ts', 'c.ts', 'b.ts'],
    );
  });
});
