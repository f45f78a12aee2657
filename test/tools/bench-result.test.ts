import { expect, it } from 'vitest';
import { type Entry, formatResults, median, resultsOf } from '../../tools/bench/result.js';

const CASE = { bench: 'step', title: 'A step', unit: 'ms per step', settings: { batch: 8 } };
const MACHINE = { cpu: 'a processor', cores: 2, platform: 'linux x64', load: 0.1 };

function entry(name: string, all: number[], peak_rss_mb: number | null = 2500): Entry {
  return { name, median: median(all), all, peak_rss_mb, versions: {}, threads: 2 };
}

it('takes the middle value, or the mean of the two in the middle, without reordering its argument', () => {
  const values = [30, 2, 100];
  expect(median(values)).toBe(30);
  expect(values).toEqual([30, 2, 100]);
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(() => median([])).toThrow('median: no values');
});

it('writes a line that holds everything', () => {
  const [result] = resultsOf(CASE, 1, [entry('scrl', [200]), entry('peer', [300], null)], [], MACHINE);
  expect(JSON.parse(JSON.stringify(result))).toEqual({
    bench: 'step',
    title: 'A step',
    unit: 'ms per step',
    settings: { batch: 8 },
    rounds: 1,
    ours: { name: 'scrl', median: 200, all: [200], peak_rss_mb: 2500, versions: {}, threads: 2 },
    peer: { name: 'peer', median: 300, all: [300], peak_rss_mb: null, versions: {}, threads: 2 },
    ratio: 1.5,
    ...MACHINE,
  });
});

it('prints a table for people', () => {
  const entries = [entry('scrl', [812.34, 790, 850]), entry('PyTorch', [1203.5, 1190, 1300.4], null)];
  const absent = [{ name: 'Pillow', reason: 'No module named PIL' }];
  expect(formatResults(resultsOf(CASE, 3, entries, absent, MACHINE))).toMatchInlineSnapshot(`
    "A step
             ms per step  range         peak memory  ours is faster
    -------  -----------  ------------  -----------  --------------
    scrl     812          790 .. 850    2.5 GB
    PyTorch  1204         1190 .. 1300  ?            1.48 x
    Pillow   absent"
  `);
});

it('prints small times with three digits', () => {
  const text = formatResults(resultsOf(CASE, 1, [entry('scrl', [7.77, 0.0123])], [], MACHINE));
  expect(text).toContain('3.89');
  expect(text).toContain('0.0123 .. 7.77');
});
