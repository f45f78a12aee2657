import { describe, expect, it } from 'vitest';
import { parseYaml } from '../../src/config/yaml-document.js';
import { userErrorOf } from './files.js';

describe('parseYaml', () => {
  it('reads numbers, booleans and null as YAML 1.2', () => {
    const text = 'a: 1e-6\nb: 0.000001\nc: 1.5e-6\nd: True\ne: yes\nf: "1"\ng: ~\nh: 0x10\ni: 1_000\nj: .5\n';
    expect(parseYaml(text, 'f.yaml').value).toEqual({
      a: 0.000001,
      b: 0.000001,
      c: 0.0000015,
      d: true,
      e: 'yes',
      f: '1',
      g: null,
      h: 16,
      i: '1_000',
      j: 0.5,
    });
  });

  it('merges', () => {
    const { value } = parseYaml('a: &a {x: 1, y: 1}\nb:\n  <<: *a\n  y: 2\n', 'f.yaml');
    expect(value.b).toEqual({ x: 1, y: 2 });
  });

  it.each([
    ['', 'f.yaml: is empty\n'],
    ['# nothing\n', 'f.yaml: is empty\n'],
    ['---\n', 'f.yaml: is empty\n'],
    ['a: 1\n---\nb: 1\n', 'f.yaml: holds 2 YAML documents'],
    ['\n- 1\n', 'f.yaml:2: must hold keys and values, but holds a list'],
    ['hello', 'f.yaml:1: must hold keys and values, but holds a single value'],
    [
      'a:\n\tb: 1\n',
      'f.yaml:2:1: is not valid YAML: tab characters must not be used in indentation\n  indent with spaces',
    ],
    ['a: [1,', 'f.yaml:1:7: is not valid YAML: unexpected end of the stream within a flow collection'],
    ['a: b: c\n', 'f.yaml:1:5: is not valid YAML: bad indentation'],
    ['a: *b\n', 'f.yaml:1:5: is not valid YAML: unidentified alias "b"'],
    ['a: !!python/tuple 1\n', 'f.yaml:1:4: is not valid YAML: unknown scalar tag'],
    ['b: {<<: 3}\n', 'f.yaml:1:5: is not valid YAML: cannot merge'],
    ['? [1, 2]\n: 3\n', 'f.yaml:1:1: is not valid YAML: object-based map does not support complex keys'],
  ])('%j is an error', (text, message) => {
    expect(userErrorOf(() => parseYaml(text, 'f.yaml'))).toContain(message);
  });
});
