import { parseEvents } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { lineOf, readPositions } from '../../src/config/yaml-positions.js';

function positions(source: string) {
  return readPositions(source, parseEvents(source, {}));
}

function line(source: string, path: string): number {
  return lineOf(positions(source).root, path.split('/'));
}

describe('lines of keys', () => {
  it('in block style, after comments, blank lines and texts of several lines', () => {
    const text = '# head\n\na: 1\nb:\n  # note: x\n  c: |\n    d: 7\n    e: 8\n  "d": >\n    x\n  e: 1\n';
    expect(['a', 'b', 'b/c', 'b/d', 'b/e'].map((path) => line(text, path))).toEqual([3, 4, 6, 9, 11]);
  });

  it('in flow style', () => {
    const text = '{a: {b: [1,\n  2], c: 3},\n "d/e":\n  4}';
    expect(['a', 'a/b', 'a/c'].map((path) => line(text, path))).toEqual([1, 1, 2]);
    expect(lineOf(positions(text).root, ['d/e'])).toBe(3);
  });

  it('with Windows line ends and a byte order mark', () => {
    expect(line('\ufeffa: 1\r\n\r\nb:\r\n  c: 2\r\n', 'b/c')).toBe(4);
  });

  it('through aliases: where the key is written', () => {
    const text = 'a: &a\n  x: 1\nb: *a\n';
    expect(line(text, 'b')).toBe(3);
    expect(line(text, 'b/x')).toBe(2);
  });

  it('through merge keys: own keys first, then the first mapping that has it', () => {
    const text = 'a: &a\n  x: 1\n  y: 1\nb: &b {y: 2, z: 2}\nc:\n  <<: [*a, *b]\n  x: 3\nd:\n  <<: *b\n';
    expect(['c/x', 'c/y', 'c/z', 'd/z'].map((path) => line(text, path))).toEqual([7, 3, 4, 4]);
  });

  it('of the nearest known key around an unknown one', () => {
    expect(line('a: 1\nb:\n  c: 2\n', 'b/d/e')).toBe(2);
    expect(line('\n\na: 1\n', 'q')).toBe(3);
  });

  it('in a text that refers to itself', () => {
    expect(line('a: &a\n  b: *a\n', 'a/b/b/b')).toBe(2);
    expect(line('a: &a\n  <<: *a\n  b: 1\n', 'a/c')).toBe(1);
  });

  it('in a document without content', () => {
    expect(line('---\n', 'a')).toBe(1);
  });
});

it('lists keys given twice in one mapping, not in two', () => {
  expect(positions('a: {x: 1}\nb: {x: 1,\n  "x": 2}\na: 3\n').duplicates).toEqual([
    { key: 'b/x', line: 3, firstLine: 2 },
    { key: 'a', line: 4, firstLine: 1 },
  ]);
});
