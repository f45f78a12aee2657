/** Outputs: whole or absent, not in the place of something else, and nothing left behind. */

import { spawnSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { replaceWhole, writeFileAtomic } from '../../src/core/replace.js';
import { leftBy } from '../helpers/left-overs.js';
import { temporaryFolder } from '../image/pictures.js';

const folder = await temporaryFolder();
const at = (name: string) => join(folder, name);
const text = (content: string) => (temporary: string) => writeFile(temporary, content);
const dead = spawnSync('true').pid;

beforeEach(async () => {
  for (const name of readdirSync(folder)) await rm(at(name), { recursive: true });
});

describe('replaceWhole', () => {
  it('writes a new file, and replaces one on request only', async () => {
    await replaceWhole(at('a'), {}, text('first'));
    await expect(replaceWhole(at('a'), {}, text('second'))).rejects.toThrow('exists already');
    expect(readFileSync(at('a'), 'utf8')).toBe('first');
    await replaceWhole(at('a'), { overwrite: true }, text('second'));
    expect(readFileSync(at('a'), 'utf8')).toBe('second');
    expect(readdirSync(folder)).toEqual(['a']);
  });

  it('refuses the second of two that write one new name', async () => {
    const second = replaceWhole(at('a'), {}, async (temporary) => {
      await replaceWhole(at('a'), {}, text('first'));
      await writeFile(temporary, 'second');
    });
    await expect(second).rejects.toThrow('exists already');
    expect(readFileSync(at('a'), 'utf8')).toBe('first');
    expect(readdirSync(folder)).toEqual(['a']);
  });

  it.each([
    ['a device', '/dev/null', undefined],
    ['a link', 'link', 'a link to target'],
    ['a dangling link', 'dangling', 'a link to nowhere'],
    ['a pipe', 'pipe', 'a pipe'],
    ['a folder', 'folder', 'a folder that holds something else'],
  ])('leaves %s as it is', async (_, name, message = 'a device') => {
    writeFileSync(at('target'), 'kept');
    symlinkSync('target', at('link'));
    symlinkSync('nowhere', at('dangling'));
    spawnSync('mkfifo', [at('pipe')]);
    mkdirSync(at('folder'));
    const path = name.startsWith('/') ? name : at(name);
    await expect(replaceWhole(path, {}, text('x'))).rejects.toThrow('exists already');
    await expect(replaceWhole(path, { overwrite: true }, text('x'))).rejects.toThrow(message);
    expect(readFileSync(at('target'), 'utf8')).toBe('kept');
    expect(lstatSync(at('link')).isSymbolicLink()).toBe(true);
    expect(existsSync(at('nowhere'))).toBe(false);
  });

  it('does not replace what is read, by whatever name', async () => {
    writeFileSync(at('source'), 'everything');
    mkdirSync(at('other'));
    symlinkSync(folder, at('other/way'));
    const options = { overwrite: true, source: at('other/way/source') };
    await expect(replaceWhole(at('source'), options, text('a part'))).rejects.toThrow(
      'is the file that is read',
    );
    expect(readFileSync(at('source'), 'utf8')).toBe('everything');
  });

  it('removes what dead processes left beside its target, and nothing else', async () => {
    const kept = [
      leftBy(process.ppid, 'a'),
      leftBy(dead, 'b'),
      `a.${dead}-abcd0123.tmp`,
      'a.tmp',
      `a.${dead}-0123.tmp`,
    ];
    for (const name of [...kept, leftBy(dead, 'a')]) writeFileSync(at(name), '');
    await replaceWhole(at('a'), {}, text('x'));
    expect(readdirSync(folder).sort()).toEqual(['a', ...kept].sort());
  });

  it('removes what another host left a day ago', async () => {
    const [old, fresh] = [`a.1-abcd0123.tmp`, `a.1-abcd4567.tmp`];
    for (const name of [old, fresh]) writeFileSync(at(name), '');
    utimesSync(at(old), 0, 0);
    await replaceWhole(at('a'), {}, text('x'));
    expect(readdirSync(folder).sort()).toEqual(['a', fresh]);
  });

  it('puts a folder back that was moved aside by a process that was killed then', async () => {
    const old = leftBy(dead, 'weights', 'old');
    mkdirSync(at(old));
    writeFileSync(join(at(old), 'model.json'), 'whole');
    writeFileSync(at(leftBy(dead, 'weights')), '');
    await expect(replaceWhole(at('weights'), {}, text('x'))).rejects.toThrow('exists already');
    expect(readFileSync(at('weights/model.json'), 'utf8')).toBe('whole');
    expect(readdirSync(folder)).toEqual(['weights']);
    await replaceWhole(at('weights'), { overwrite: true, isOurs: async () => true }, async (temporary) => {
      mkdirSync(temporary);
      writeFileSync(join(temporary, 'model.json'), 'new');
    });
    expect(readFileSync(at('weights/model.json'), 'utf8')).toBe('new');
    expect(readdirSync(folder)).toEqual(['weights']);
  });
});

describe('writeFileAtomic', () => {
  it('replaces a file, and neither a link nor a device', async () => {
    writeFileSync(at('target'), 'kept');
    symlinkSync('target', at('link'));
    await expect(writeFileAtomic(at('link'), 'x')).rejects.toThrow(
      /link: is a link to target, which is not replaced/,
    );
    await expect(writeFileAtomic('/dev/null', 'x')).rejects.toThrow('/dev/null: is a device');
    await writeFileAtomic(at('target'), 'new');
    expect(readFileSync(at('target'), 'utf8')).toBe('new');
    expect(lstatSync('/dev/null').isCharacterDevice()).toBe(true);
    expect(readdirSync(folder).sort()).toEqual(['link', 'target']);
  });
});
