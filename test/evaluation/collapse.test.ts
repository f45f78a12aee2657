import { describe, expect, it } from 'vitest';
import { judgeCollapse } from '../../src/evaluation/collapse.js';

describe('judgeCollapse', () => {
  const options = { threshold: 0.1, patience: 3 };

  it('warns only when the spread stayed low', () => {
    expect(judgeCollapse([], options)).toBeUndefined();
    expect(judgeCollapse([0.01, 0.01], options)).toBeUndefined();
    expect(judgeCollapse([0.01, 0.5, 0.01], options)).toBeUndefined();
    expect(judgeCollapse([0.01, 0.1, 0.01], options)).toBeUndefined();
    expect(judgeCollapse([0.01, 0.01, 0.01, 0.5], options)).toBeUndefined();
    expect(judgeCollapse([Number.NaN, 0, 0], options)).toBeUndefined();
  });

  it('says what it saw', () => {
    expect(judgeCollapse([0.9, 0.05, 0.02, 0.0123], options)).toMatch(
      /^the outputs are collapsing: their spread is 0\.012 and was under 0\.1 in the last 3 measurements/,
    );
  });
});
