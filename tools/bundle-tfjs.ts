/**
 * Part of `npm run build`: what the engine needs of TensorFlow.js, as one file in dist. tfjs-core, its gradients, and the
 * kernels of tfjs-node-gpu, which is installed by developers only: its install script would download a TensorFlow of its own.
 *
 * The sources are bundled as published, but for three things:
 *
 * - `@tensorflow/tfjs`, which is tfjs-core with layers, data and browser backends, is tfjs-core alone;
 * - tfjs keeps its state on an object that inherits from the global one, so that a program with a TensorFlow.js of its own
 *   and ours do not share an engine;
 * - `util.isArray` and `util.isNullOrUndefined`, deprecated or gone in new versions of Node, are ours.
 */

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { build, type Plugin } from 'rolldown';

const require = createRequire(import.meta.url);
const CORE = join(folderOf('@tensorflow/tfjs-core'), 'dist');
const KERNELS = join(folderOf('@tensorflow/tfjs-node-gpu'), 'src');
const OUTPUT = join(import.meta.dirname, '../tfjs/tfjs.cjs');

const ENTRY = `
export * from ${quote(CORE, 'index.js')};
import ${quote(CORE, 'register_all_gradients.js')};
import ${quote(KERNELS, 'register_all_kernels.ts')};
export { NodeJSKernelBackend } from ${quote(KERNELS, 'nodejs_kernel_backend.ts')};
`;

const BANNER = `/*! TensorFlow.js ${versionOf('@tensorflow/tfjs-core')}: tfjs-core and the kernels of tfjs-node-gpu, in one file and changed by scrl where
 * its tools/bundle-tfjs.ts says so. Copyright Google LLC, Apache License 2.0. With long.js (Apache License 2.0) and seedrandom (MIT):
 * see NOTICE. */`;

const NODE_UTIL = `
export const isArray = Array.isArray;
export const isNullOrUndefined = (value) => value === null || value === undefined;
`;

/** Contents by the name of an import; those of Node's `util` are the kernels' only. */
const REPLACED: Readonly<Record<string, string>> = {
  entry: ENTRY,
  util: NODE_UTIL,
  // TensorBoard summaries of the kernels, and downloads before Node had fetch: never called.
  './proto/api_pb': '',
  'node-fetch': '',
};

const GLOBAL = {
  file: join(CORE, 'global_util.js'),
  theirs: 'ns = global;',
  ours: 'ns = Object.create(global);',
};

const replacements: Plugin = {
  name: 'replacements',
  resolveId(id, importer) {
    if (id === '@tensorflow/tfjs' || id === '@tensorflow/tfjs-core') return join(CORE, 'index.js');
    const isReplaced = id in REPLACED && (id !== 'util' || importer?.startsWith(KERNELS));
    return isReplaced ? `\0${id}` : undefined;
  },
  load(id) {
    if (id.startsWith('\0')) return REPLACED[id.slice(1)];
    if (id !== GLOBAL.file) return undefined;
    const code = readFileSync(id, 'utf8');
    if (!code.includes(GLOBAL.theirs)) throw new Error(`${id} has changed: where does tfjs keep its state?`);
    return code.replace(GLOBAL.theirs, GLOBAL.ours);
  },
};

/** A path as a text in the source: a folder's name may hold quotes. */
function quote(...path: string[]): string {
  return JSON.stringify(join(...path));
}

function folderOf(name: string): string {
  return dirname(require.resolve(`${name}/package.json`));
}

function versionOf(name: string): string {
  return (require(`${name}/package.json`) as { version: string }).version;
}

await build({
  input: 'entry',
  platform: 'node',
  plugins: [replacements],
  output: { file: OUTPUT, format: 'cjs', banner: BANNER },
});
