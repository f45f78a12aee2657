import { describe, expect, it } from 'vitest';
import { RandomStream } from '../../src/core/rng.js';
import { drawPhotometric, NO_PHOTOMETRIC, type PhotometricDraw } from '../../src/views/photometric-draws.js';

const COUNT = 20000;

function draws(view: 0 | 1, blur: 'resized' | 'gaussian' = 'resized'): PhotometricDraw[] {
  return Array.from({ length: COUNT }, (_, i) =>
    drawPhotometric(new RandomStream(4, 'test', view, i), view, 'simclr', blur),
  );
}

function share(items: readonly PhotometricDraw[], test: (draw: PhotometricDraw) => boolean): number {
  return items.filter(test).length / items.length;
}

describe('drawPhotometric', () => {
  // Three standard deviations of a share p of 20,000 are at most 0.011.
  it.each([
    [0, { jitter: 0.8, grayscale: 0.2, blur: 1, solarize: 0 }],
    [1, { jitter: 0.8, grayscale: 0.2, blur: 0.1, solarize: 0.2 }],
  ] as const)('view %i has the probabilities of the table', (view, expected) => {
    const all = draws(view);
    expect(Math.abs(share(all, (draw) => draw.jitter) - expected.jitter)).toBeLessThan(0.011);
    expect(Math.abs(share(all, (draw) => draw.grayscale) - expected.grayscale)).toBeLessThan(0.011);
    expect(Math.abs(share(all, ({ blur }) => blur.kind === 'resized') - expected.blur)).toBeLessThan(0.011);
    expect(Math.abs(share(all, (draw) => draw.solarize) - expected.solarize)).toBeLessThan(0.011);
    if (expected.blur === 1) expect(all.every(({ blur }) => blur.kind === 'resized')).toBe(true);
    if (expected.solarize === 0) expect(all.some((draw) => draw.solarize)).toBe(false);
  });

  it('draws factors over their whole ranges, and neutral ones without jitter', () => {
    const all = draws(0);
    for (const [key, low, high] of [
      ['brightness', 0.6, 1.4],
      ['contrast', 0.6, 1.4],
      ['saturation', 0.8, 1.2],
      ['hue', -0.1, 0.1],
    ] as const) {
      const values = all.filter((draw) => draw.jitter).map((draw) => draw[key]);
      const margin = (high - low) / 100;
      expect(Math.min(...values)).toBeGreaterThanOrEqual(low);
      expect(Math.min(...values)).toBeLessThan(low + margin);
      expect(Math.max(...values)).toBeLessThan(high);
      expect(Math.max(...values)).toBeGreaterThan(high - margin);
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      expect(Math.abs(mean - (low + high) / 2)).toBeLessThan(margin);
    }
    const { order, brightness, hue } = all.find((draw) => !draw.jitter) ?? all[0];
    expect({ order, brightness, hue }).toEqual({ order: NO_PHOTOMETRIC.order, brightness: 1, hue: 0 });
  });

  it('draws all 24 orders equally often', () => {
    const counts = new Map<string, number>();
    const jittered = draws(1).filter((draw) => draw.jitter);
    for (const { order } of jittered) counts.set(order.join(), (counts.get(order.join()) ?? 0) + 1);
    expect(counts.size).toBe(24);
    for (const count of counts.values())
      expect(Math.abs(count / jittered.length - 1 / 24)).toBeLessThan(0.006);
  });

  it('draws the three levels equally often, or a sigma in [0.1, 2)', () => {
    const resized = draws(0);
    for (const level of [0, 1, 2]) {
      const found = share(resized, ({ blur }) => blur.kind === 'resized' && blur.level === level);
      expect(Math.abs(found - 1 / 3)).toBeLessThan(0.011);
    }
    const sigmas = draws(0, 'gaussian').map(({ blur }) =>
      blur.kind === 'gaussian' ? blur.sigma : Number.NaN,
    );
    expect(Math.min(...sigmas)).toBeGreaterThanOrEqual(0.1);
    expect(Math.max(...sigmas)).toBeLessThan(2);
    expect(Math.min(...sigmas)).toBeLessThan(0.11);
    expect(Math.max(...sigmas)).toBeGreaterThan(1.99);
  });

  it('never blurs when there is no blur, and draws all else as before', () => {
    for (let i = 0; i < 50; i++) {
      const { blur, ...rest } = drawPhotometric(new RandomStream(4, 'x', 0, i), 0, 'simclr', 'none');
      const { blur: other, ...same } = drawPhotometric(
        new RandomStream(4, 'x', 0, i),
        0,
        'simclr',
        'resized',
      );
      expect(blur).toEqual({ kind: 'none' });
      expect(other.kind).toBe('resized');
      expect(rest).toEqual(same);
    }
  });

  it.each(['simple', 'none'] as const)('changes nothing for type %s', (type) => {
    expect(drawPhotometric(new RandomStream(1, 'x'), 0, type, 'resized')).toEqual(NO_PHOTOMETRIC);
  });
});
