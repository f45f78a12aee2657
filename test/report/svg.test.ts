/**
 * Charts are compared with committed pictures byte for byte. After a wanted change delete the picture, run the test
 * once, and look at the new one.
 */

import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { RandomStream } from '../../src/core/rng.js';
import { lineChart } from '../../src/report/svg.js';

const picture = (name: string): string => join(import.meta.dirname, '../pictures', name);

/** All coordinates of the paths that are curves, per path. */
function curves(svg: string): number[][] {
  return [...svg.matchAll(/<path d="([^"]*)" fill="none" stroke="[^"]*"[^>]*stroke-width="1.75"/g)].map(
    ([, d]) => (d.match(/[\d.]+/g) ?? []).map(Number),
  );
}

const axes = { title: 't', xLabel: 'x', yLabel: 'y' };

describe('lineChart', () => {
  it('draws a loss curve with its running mean', async () => {
    const stream = new RandomStream(1, 'loss curve');
    const x = Array.from({ length: 2000 }, (_, i) => i * 10);
    const smooth = x.map((step) => 0.6 + 3.2 / (1 + step / 1500));
    const y = smooth.map((loss) => loss + stream.between(-0.15, 0.15));
    const svg = lineChart({
      title: 'A made-up loss curve',
      xLabel: 'step',
      yLabel: 'sLoss',
      series: [
        { name: 'sLoss', x, y },
        { name: 'sLoss, mean of 100 steps', x, y: smooth },
      ],
    });
    await expect(svg).toMatchFileSnapshot(picture('loss-curve.svg'));
  });

  it('draws few points with markers, gaps and a logarithmic axis', async () => {
    const epochs = [1, 2, 3, 4, 5, 6, 7, 8];
    const svg = lineChart({
      title: 'Gaps & "logarithms" <of> 8 epochs',
      xLabel: 'epoch',
      yLabel: 'learning rate',
      yScale: 'log',
      series: [
        { name: 'cosine', x: epochs, y: [0.1, 1, 0.9, 0.6, 0.3, 0.1, 0.01, 0.0005] },
        {
          name: 'with gaps',
          x: epochs,
          y: [2, Number.NaN, 0.5, 0.25, 0, 0.06, 0.03, Number.POSITIVE_INFINITY],
        },
      ],
    });
    await expect(svg).toMatchFileSnapshot(picture('log-scale-with-gaps.svg'));
  });

  it('says when there is nothing to draw', async () => {
    await expect(lineChart({ ...axes, title: 'Nothing yet', series: [] })).toMatchFileSnapshot(
      picture('no-data.svg'),
    );
  });

  it('puts points where the ticks say', () => {
    // A plot of 100 by 100 pixels: 72 and 24 at the sides, 48 + 18 above, 56 below.
    const svg = lineChart({
      ...axes,
      width: 196,
      height: 222,
      series: [{ name: 'a', x: [0, 5, 10], y: [0, 1, 10] }],
    });
    expect(curves(svg)).toEqual([[72, 166, 122, 156, 172, 66]]);
  });

  it('breaks the curve where a value cannot be drawn', () => {
    const y = [1, 2, Number.NaN, 2, 1];
    const svg = lineChart({ ...axes, series: [{ name: 'a', x: [0, 1, 2, 3, 4], y }] });
    const [, d] = /<path d="(M[^"]*)" fill="none" stroke="#0072b2"/.exec(svg) ?? [];
    expect(d.match(/M/g)).toHaveLength(2);
  });

  it('keeps a single spike among a million points', () => {
    const y = new Float64Array(1_000_000).fill(1);
    y[345_678] = 9;
    const svg = lineChart({ ...axes, series: [{ name: 'a', x: Float64Array.from(y, (_, i) => i), y }] });
    const heights = curves(svg)[0].filter((_, i) => i % 2 === 1);
    expect(heights.length).toBeLessThan(2000);
    const top = Math.min(...heights);
    expect(heights.filter((height) => height === top)).toHaveLength(1);
  });

  it('wraps a long legend and tells the eighth series from the first', () => {
    const series = Array.from({ length: 8 }, (_, i) => ({
      name: `a rather long name ${i}`,
      x: [0, 1],
      y: [i, i],
    }));
    const svg = lineChart({ ...axes, series });
    expect(svg.match(/stroke="#0072b2"/g)).toHaveLength(4);
    expect(svg.match(/stroke="#0072b2" stroke-dasharray="6 3"/g)).toHaveLength(2);
    expect(svg).toContain('y="66">a rather long name 4<');
  });

  it('refuses series of unequal length', () => {
    expect(() => lineChart({ ...axes, series: [{ name: 'loss', x: [1, 2], y: [1] }] })).toThrow(
      'chart: loss has 2 x, but 1 y',
    );
  });
});
