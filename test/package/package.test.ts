/**
 * What somebody has who installs the package with plain npm in an empty folder: no flags, no configuration of npm, nothing of
 * this clone. Install scripts are let run, as older npm does by itself: none may fail, and none may be needed.
 */

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { collect, startProcess } from '../helpers/child-processes.js';
import { examplesOf, writeExampleFiles } from '../helpers/examples.js';

const ROOT = join(import.meta.dirname, '../..');
const { name, version, bin } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

let folder: string;
/** The installed package. */
let installed: string;

async function run(cwd: string, command: string, ...args: string[]): Promise<string> {
  // npm hands its settings to the scripts it runs; a user has none of ours.
  const env = Object.fromEntries(Object.entries(process.env).filter(([key]) => !/^npm_config_/i.test(key)));
  const child = startProcess(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const { code, out, err } = await collect(child).ended;
  if (code !== 0) throw new Error(`${command} ${args.join(' ')}: exit code ${code}\n${out}${err}`);
  return out;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scrl-package-'));
  await run(ROOT, 'npm', 'pack', '--silent', '--pack-destination', folder);
  writeFileSync(join(folder, 'package.json'), '{ "private": true }');
  await run(folder, 'npm', 'install', `./${name}-${version}.tgz`);
  installed = join(folder, 'node_modules', name);
  await writeExampleFiles(folder);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the packed package', () => {
  it('holds no stale file, and every map and link leads somewhere', () => {
    const files = readdirSync(installed, { recursive: true, encoding: 'utf8' });
    const sources = files.filter((file) => /^dist\/src\/.*\.c?js$/.test(file));
    for (const file of sources) {
      expect(existsSync(join(ROOT, file.replace('dist/', '').replace(/js$/, 'ts'))), file).toBe(true);
      const map = JSON.parse(readFileSync(join(installed, `${file}.map`), 'utf8'));
      expect(map.sourcesContent?.[0], file).toBeTypeOf('string');
    }
    for (const page of files.filter((file) => file.endsWith('.md'))) {
      const text = readFileSync(join(installed, page), 'utf8');
      for (const [, link] of text.matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g)) {
        expect(existsSync(join(installed, page, '..', link)), `${page}: ${link}`).toBe(true);
      }
    }
    for (const file of ['LICENSE', 'NOTICE']) expect(files).toContain(file);
  });

  it('brings no package of TensorFlow.js, and is small', () => {
    const packages = readdirSync(join(folder, 'node_modules'));
    expect(packages).not.toContain('@tensorflow');
    expect(packages.length).toBeLessThan(35);
  });

  it('has types that need no other package but those of Node', async () => {
    const options = ['--noEmit', '--strict', '--target', 'es2023', '--module', 'nodenext'];
    const types = ['--types', 'node', '--typeRoots', join(ROOT, 'node_modules/@types')];
    writeFileSync(
      join(folder, 'types.mts'),
      `import * as scrl from '${name}';
       import * as pycocotools from '${name}/pycocotools';
       import * as formats from '${name}/formats';
       const engine: Promise<scrl.Runtime> = scrl.openEngine({ device: 'cpu' });
       const error: scrl.UserError = new pycocotools.UserError('');
       export { engine, error, formats };\n`,
    );
    await run(folder, join(ROOT, 'node_modules/.bin/tsc'), ...options, ...types, 'types.mts');
  });
});

describe('the installed package', () => {
  it('has the command', async () => {
    expect(await run(folder, 'npx', 'scrl', '--version')).toBe(`${version}\n`);
    expect(Object.keys(bin)).toEqual(['scrl']);
  });

  for (const { title, code } of examplesOf('library.md')) {
    it(`runs the example of the library: ${title}`, async () => {
      writeFileSync(join(folder, 'example.mjs'), code);
      expect(await run(folder, process.execPath, 'example.mjs')).not.toBe('');
    });
  }

  it('pretrains on a folder of images by the name of a recipe, dry', async () => {
    const data = [
      '--dataset/root',
      'photos/train',
      '--train/batch_size_train',
      '4',
      '--train/num_workers',
      '1',
    ];
    const size = ['--augment/input_size', '32', '--network/scrl/min_size', '6'];
    await run(folder, 'npx', 'scrl', 'pretrain', '--config', 'one_machine', ...data, ...size, '--dry-run');
    expect(readdirSync(join(folder, 'runs')).filter((entry) => entry.startsWith('dry_run'))).toEqual([]);
  });
});
