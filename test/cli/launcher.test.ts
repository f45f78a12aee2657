/** `npx scrl` where it cannot start: with an old Node, and before the build. */

import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { collect, startProcess } from '../helpers/child-processes.js';
import { CLI } from '../helpers/cli.js';

let folder: string;
let launcher: string;
/** A clone without `dist`, in a folder whose name a shell or a URL would read otherwise. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scrl-launcher-'));
  const clone = join(folder, "it's 100% #1 ü");
  mkdirSync(clone);
  for (const name of ['bin', 'package.json']) {
    cpSync(join(CLI, '../..', name), join(clone, name), { recursive: true });
  }
  launcher = join(clone, 'bin/scrl.cjs');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Runs a file as if Node had this version. */
function runAs(version: string, file: string) {
  const preload = join(folder, `node-${version}.cjs`);
  writeFileSync(
    preload,
    `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } });`,
  );
  const child = startProcess(process.execPath, ['--require', preload, file], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return collect(child).ended;
}

describe('Node', () => {
  it.each(['18.20.8', '20.18.9', '9.0.0'])(
    '%s is too old, and that is said before anything is loaded',
    async (version) => {
      const err = expect.stringMatching(
        `^error: scrl needs Node 20\\.19 or later; this is Node ${version}\n  install a newer one: .*\n$`,
      );
      expect(await runAs(version, launcher)).toEqual({ code: 2, out: '', err });
    },
  );

  it.each(['20.19.0', '22.0.0', '100.1.0'])('%s is new enough', async (version) => {
    expect((await runAs(version, launcher)).err).toMatch('not built');
    expect(await runAs(version, join(launcher, '../check-node.cjs'))).toEqual({ code: 0, out: '', err: '' });
  });

  it('is looked at in syntax that old versions read', () => {
    for (const name of ['scrl.cjs', 'check-node.cjs']) {
      expect(readFileSync(join(launcher, '..', name), 'utf8')).not.toMatch(
        /\?\.|\?\?|node:|import\(|\bclass\b/,
      );
    }
  });
});

it('before the build, says so', async () => {
  const { node } = process.versions;
  expect(await runAs(node, launcher)).toEqual({
    code: 2,
    out: '',
    err: 'error: scrl is not built yet\n  in the clone, run first: npm run build\n',
  });
});
