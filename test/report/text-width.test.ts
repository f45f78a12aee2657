import { describe, expect, it } from 'vitest';
import { cutToWidth, textWidth } from '../../src/report/text-width.js';

describe('textWidth', () => {
  it.each([
    ['', 0],
    ['abc', 3],
    ['é', 1],
    ['e\u0301', 1],
    ['日本', 4],
    ['한국', 4],
    ['👩‍👧', 2],
    ['…', 1],
  ])('%j takes %i columns', (text, columns) => {
    expect(textWidth(text)).toBe(columns);
  });
});

describe('cutToWidth', () => {
  it('never cuts a letter in two', () => {
    expect(cutToWidth('abc', 3)).toBe('abc');
    expect(cutToWidth('abcd', 3)).toBe('abc');
    expect(cutToWidth('a日本', 4)).toBe('a日');
    expect(cutToWidth('xe\u0301y', 2)).toBe('xe\u0301');
    expect(cutToWidth('abc', 0)).toBe('');
  });
});
