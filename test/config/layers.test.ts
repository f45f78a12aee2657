import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readLayers } from '../../src/config/layers.js';
import { folderWith, userErrorOf } from './files.js';

describe('readLayers', () => {
  it('follows bases relative to the file that names them, innermost first', () => {
    const folder = folderWith({ 'a.yaml': '_base_: sub/b.yaml\n' });
    mkdirSync(join(folder, 'sub'));
    const inner = folderWith({ 'c.yaml': 'seed: 3\n' });
    writeFileSync(join(folder, 'sub/b.yaml'), `_base_: ${join(inner, 'c.yaml')}\nseed: 2\n`);
    const layers = readLayers(join(folder, 'a.yaml'));
    expect(layers.map(({ file }) => file)).toEqual([
      join(inner, 'c.yaml'),
      join(folder, 'sub/b.yaml'),
      join(folder, 'a.yaml'),
    ]);
    expect(layers[0].document.value).toEqual({ seed: 3 });
  });

  it('refuses a circle, however it is spelled', () => {
    const folder = folderWith({ 'a.yaml': 'seed: 1\n_base_: b.yaml\n', 'b.yaml': '_base_: ./a.yaml\n' });
    expect(userErrorOf(() => readLayers(join(folder, 'a.yaml')), folder)).toBe(
      'b.yaml:1: _base_: files build on each other in a circle: a.yaml -> b.yaml -> a.yaml\n  remove one `_base_`',
    );
    const self = folderWith({ 'a.yaml': '_base_: a.yaml\n' });
    expect(userErrorOf(() => readLayers(join(self, 'a.yaml')), self)).toContain('a.yaml -> a.yaml');
  });

  it.each([
    ['_base_:\n', 'a.yaml:1: _base_: must be the path of one YAML file, relative to this one (found null)'],
    [
      'seed: 1\n_base_: [b.yaml]\n',
      'a.yaml:2: _base_: must be the path of one YAML file, relative to this one (found "a list")',
    ],
    ['_base_: b.yaml\n', 'a.yaml:1: _base_: b.yaml does not exist'],
    ['_base_: .\n', 'a.yaml:1: _base_: '],
  ])('refuses %j', (text, message) => {
    const folder = folderWith({ 'a.yaml': text });
    expect(userErrorOf(() => readLayers(join(folder, 'a.yaml')), folder)).toContain(message);
  });

  it('refuses what is no YAML file', () => {
    const folder = folderWith({
      'image.yaml': Uint8Array.of(0xff, 0xd8, 0xff, 0xe0),
      'zero.yaml': 'a: \0',
      'large.yaml': '#'.repeat(1_000_001),
    });
    const error = (name: string): string => userErrorOf(() => readLayers(join(folder, name)), folder);
    expect(error('image.yaml')).toBe('image.yaml: is not a text in UTF-8');
    expect(error('zero.yaml')).toBe('zero.yaml: is not a text in UTF-8');
    expect(error('large.yaml')).toBe('large.yaml: is too large for a configuration: 1000001 bytes');
    expect(error('none.yaml')).toBe('none.yaml: does not exist');
    expect(error('zero.yaml/x')).toBe('zero.yaml/x: does not exist');
    expect(userErrorOf(() => readLayers(folder))).toBe(`${folder}: is a folder, not a YAML file`);
    expect(userErrorOf(() => readLayers('/dev/zero'))).toMatch(/^\/dev\/zero: is no regular file/);
  });
});
