/** Which runtime is found when there are several, damaged ones, or one that the user names. */

import { mkdir, readFile, rename, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { SILENT } from '../../../src/core/log.js';
import { findEngine, installedEngines, MANIFEST } from '../../../src/engine/install/engine-folder.js';
import { installEngine } from '../../../src/engine/install/install.js';
import { elf, hostLibrary, OTHER_ARCH, useFolder, wheel } from './fabricate.js';

const folder = useFolder();

async function install(version: string, cuda = false): Promise<string> {
  const from = join(folder.path, 'a.whl');
  await writeFile(from, wheel({ version }));
  return (await installEngine({ log: SILENT, from, cuda, requiredSymbols: [] })).folder;
}

/** Installation times differ by milliseconds only: set them. */
async function setTime(engine: string, installed: string): Promise<void> {
  const manifest = JSON.parse(await readFile(join(engine, MANIFEST), 'utf8')) as object;
  await writeFile(join(engine, MANIFEST), JSON.stringify({ ...manifest, installed }));
}

it('finds nothing in an empty cache', async () => {
  expect(await installedEngines()).toEqual([]);
});

it('prefers the asked variant, then what was installed last', async () => {
  const [a, b, cuda] = [await install('2.9.0'), await install('2.21.0'), await install('2.20.0', true)];
  await setTime(a, '2026-01-03T00:00:00.000Z');
  await setTime(b, '2026-01-02T00:00:00.000Z');
  await setTime(cuda, '2026-01-01T00:00:00.000Z');
  expect((await installedEngines()).map(({ version }) => version)).toEqual(['2.9.0', '2.21.0', '2.20.0']);
  expect((await findEngine())?.folder).toBe(a);
  expect((await findEngine(true))?.folder).toBe(cuda);
});

it('takes the other variant where only that is installed', async () => {
  const cuda = await install('2.21.0', true);
  expect((await findEngine(false))?.folder).toBe(cuda);
});

it('does not take an engine with a missing or shortened file, or an unreadable manifest', async () => {
  const [shortened, missing, spoilt] = [
    await install('2.1.0'),
    await install('2.2.0'),
    await install('2.3.0'),
  ];
  await truncate(join(shortened, 'libtensorflow_cc.so.2'), 100);
  await rename(join(missing, 'libtensorflow_framework.so.2'), join(missing, 'away'));
  await writeFile(join(spoilt, MANIFEST), '{"files": ');
  expect(await installedEngines()).toEqual([]);
});

it('obeys $SCRL_TENSORFLOW: a folder, its lib, or a library of any name', async () => {
  await install('2.21.0');
  const lib = join(folder.path, 'own', 'lib');
  await mkdir(lib, { recursive: true });
  await writeFile(join(lib, 'libtensorflow.so.2'), hostLibrary());
  await writeFile(join(lib, 'libtensorflow_framework.so.2'), hostLibrary());
  await writeFile(join(lib, 'mine.so'), hostLibrary());
  for (const [given, main] of [
    [lib, 'libtensorflow.so.2'],
    [join(folder.path, 'own'), 'libtensorflow.so.2'],
    [join(lib, 'mine.so'), 'mine.so'],
  ]) {
    vi.stubEnv('SCRL_TENSORFLOW', given);
    const engine = await findEngine();
    expect(engine?.libraries).toEqual([join(lib, 'libtensorflow_framework.so.2'), join(lib, main)]);
    expect(engine).toMatchObject({
      ccLibrary: join(lib, main),
      variant: 'unknown',
      source: '$SCRL_TENSORFLOW',
    });
  }
});

it('knows an installed engine again when $SCRL_TENSORFLOW names it', async () => {
  const engine = await install('2.21.0');
  vi.stubEnv('SCRL_TENSORFLOW', engine);
  expect(await findEngine()).toMatchObject({ folder: engine, variant: 'cpu', version: '2.21.0' });
});

it('says what is wrong with $SCRL_TENSORFLOW, and does not look elsewhere', async () => {
  await install('2.21.0');
  vi.stubEnv('SCRL_TENSORFLOW', join(folder.path, 'none'));
  await expect(findEngine()).rejects.toThrow(
    /^\$SCRL_TENSORFLOW: there is no such file or folder \(found .*none"\)\n/,
  );
  vi.stubEnv('SCRL_TENSORFLOW', folder.path);
  await expect(findEngine()).rejects.toThrow('holds no TensorFlow library');
  const foreign = join(folder.path, 'libtensorflow_cc.so.2');
  await writeFile(foreign, elf(OTHER_ARCH, []));
  vi.stubEnv('SCRL_TENSORFLOW', foreign);
  await expect(findEngine()).rejects.toThrow(
    `is a library for linux-${OTHER_ARCH}, but this machine is ${process.platform}-${process.arch}`,
  );
});
