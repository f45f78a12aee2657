import { describe, expect, it } from 'vitest';
import { Rate } from '../../src/report/rate.js';

describe('Rate', () => {
  it('is known after the first observation and constant for constant speed', () => {
    const rate = new Rate();
    expect(rate.perSecond).toBeNaN();
    expect(rate.waitingShare).toBeNaN();
    for (const seconds of [2, 0.1, 50, 7]) {
      rate.add(3 * seconds, seconds, seconds / 4);
      expect(rate.perSecond).toBeCloseTo(3, 12);
      expect(rate.waitingShare).toBeCloseTo(0.25, 12);
    }
  });

  it('follows a change: after 30 s the old speed counts 1/e of what it did', () => {
    const rate = new Rate();
    rate.add(1e6, 1e6);
    const before = rate.perSecond;
    for (let i = 0; i < 30; i++) rate.add(0, 1);
    rate.add(0, 1e6);
    expect(before).toBe(1);
    expect(rate.perSecond).toBeCloseTo(0, 5);
    // Work 30 in 30 s, then nothing for 30 s: 30/e over 30/e + sum of e^(-i/30), i = 0..29.
    const other = new Rate();
    other.add(30, 30);
    let fresh = 0;
    for (let i = 0; i < 30; i++) {
      other.add(0, 1);
      fresh += Math.exp(-i / 30);
    }
    expect(other.perSecond).toBeCloseTo(30 / Math.E / (30 / Math.E + fresh), 12);
  });
});
