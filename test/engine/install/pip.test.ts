/** What the user is told when pip is missing or fails, and what pip is asked for. */

import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { wheelTags } from '../../../src/engine/install/packages.js';
import { findPip, pipDownload } from '../../../src/engine/install/pip.js';
import { fakePip, useFolder } from './fabricate.js';

const folder = useFolder();
// Tags are those of the machine; on one without wheels nothing is downloaded either.
const TAGS = wheelTags().join(' ');

async function download(
  onProgress: (done: number, total: number) => void = () => undefined,
): Promise<string[]> {
  const target = join(folder.path, 'download');
  await mkdir(target);
  const remedy = 'get the wheel';
  const pip = await findPip(target);
  if (pip === undefined) throw new Error('there is no pip');
  return pipDownload(pip, {
    requirements: ['engine==1.0'],
    folder: target,
    expectedBytes: 10,
    onProgress,
    remedy,
  });
}

it('asks for wheels by tag, so that the version of Python does not matter', async () => {
  const calls = await fakePip(folder.path, 'printf 12345 > "$dest/engine-1.0.whl"');
  const progress: number[][] = [];
  const wheels = await download((...numbers) => progress.push(numbers));
  expect(wheels).toEqual([join(folder.path, 'download', 'engine-1.0.whl')]);
  expect(await readFile(calls, 'utf8')).toBe(
    `-m pip download --no-deps --only-binary=:all: --no-cache-dir --no-input --dest ${join(folder.path, 'download')} ${TAGS} engine==1.0\n`,
  );
  expect(progress.at(-1)).toEqual([5, 5]);
});

it('takes a wheel for the own Python where there is no other', async () => {
  const script = `case "$1" in *--python-version*) echo "ERROR: No matching distribution found for engine"; exit 1;; esac
    touch "$dest/engine-1.0-cp311.whl"`;
  const calls = await fakePip(folder.path, script);
  expect(await download()).toEqual([join(folder.path, 'download', 'engine-1.0-cp311.whl')]);
  expect((await readFile(calls, 'utf8')).trim().split('\n')).toHaveLength(2);
});

it.each([
  [
    "WARNING: Retrying after connection broken by 'NewConnectionError'\nERROR: No matching distribution found",
    'pip could not reach the package index',
    1,
  ],
  [
    'ERROR: No matching distribution found',
    'the package index of your pip does not have it for this machine',
    2,
  ],
  ['ERROR: [Errno 28] No space left on device', 'no space left on the disk while pip was downloading', 1],
  ['ERROR: something else', 'pip could not download it', 1],
])('explains %j', async (output, explanation, count) => {
  const calls = await fakePip(folder.path, `cat << 'END' >&2\n${output}\nEND\nexit 1`);
  const lines = output.split('\n').map((line) => `    ${line}\n`);
  const message = `engine==1.0: ${explanation}\n${lines.join('')}  get the wheel`;
  await expect(download()).rejects.toThrow(message);
  expect((await readFile(calls, 'utf8')).trim().split('\n')).toHaveLength(count);
});

it('is none where there is none', async () => {
  vi.stubEnv('PATH', join(folder.path, 'nothing'));
  expect(await findPip(folder.path)).toBeUndefined();
});
