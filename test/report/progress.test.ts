import { describe, expect, it } from 'vitest';
import { Console } from '../../src/report/console.js';
import { formatNumber, Progress, type ProgressOptions } from '../../src/report/progress.js';
import { textWidth } from '../../src/report/text-width.js';
import { FakeTerminal } from './terminal.js';

function start(isTTY: boolean, options: Partial<ProgressOptions> = {}, live = true) {
  const terminal = new FakeTerminal(isTTY);
  const console = new Console(terminal, { env: { NO_COLOR: '1' }, live });
  const progress = new Progress(console, { label: 'train', total: 100, now: terminal.now, ...options });
  return { terminal, console, progress };
}

describe('Progress on a terminal', () => {
  it('shows bar, percent, time left, rate and fields on one line', () => {
    const { terminal, progress } = start(true, { unit: 'images', unitsPerStep: 8 });
    terminal.columns = 120;
    expect(terminal.screen).toEqual([`train [${'.'.repeat(30)}]  0 %`]);
    terminal.time = 10;
    progress.addWait(0.5);
    progress.update(20, { loss: 1.23456, lr: 0.3, epoch: '1/5' });
    expect(terminal.screen).toEqual([
      `train [${'#'.repeat(6)}${'.'.repeat(24)}]  20 %  ETA 40 s  16 images/s  waiting 5 %  loss 1.235  lr 0.3  epoch 1/5`,
    ]);
  });

  it('redraws at most ten times a second', () => {
    const { terminal, progress } = start(true, { total: 1000 });
    for (let i = 1; i <= 1000; i++) {
      terminal.time = i / 1000;
      progress.update(i);
    }
    expect(terminal.written.length).toBeGreaterThan(8);
    expect(terminal.written.length).toBeLessThanOrEqual(11);
  });

  it.each([200, 79, 60, 40, 20, 8, 3, 1])('fits into %i columns', (columns) => {
    const { terminal, progress } = start(true);
    terminal.columns = columns;
    terminal.time = 10;
    progress.update(50, { loss: 1.5, lr: 0.25, momentum: 0.99 });
    expect(textWidth(terminal.screen[0])).toBeLessThanOrEqual(Math.max(columns - 1, 1));
  });

  it('gives up the bar before the numbers, and the last fields before the first', () => {
    const { terminal, progress } = start(true);
    const at = (columns: number): string => {
      terminal.columns = columns;
      terminal.time += 10;
      progress.update(terminal.time / 2, { loss: 1.5, lr: 0.25 });
      return terminal.screen[0];
    };
    expect(at(85)).toMatch(/^train \[#\.{19}\] {2}5 % {2}ETA .* {2}lr 0.25$/);
    expect(at(62)).toMatch(/^train {2}10 % {2}ETA 3 min 00 s {2}0.5 steps\/s {2}loss 1.5 {2}lr 0.25$/);
    expect(at(50)).toMatch(/^train {2}15 % {2}ETA 2 min 50 s {2}0.5 steps\/s$/);
  });

  it('leaves one line at the end, with log lines above it whole', () => {
    const { terminal, console, progress } = start(true);
    terminal.time = 5;
    progress.update(50, { loss: 2 });
    console.info('checkpoint written');
    expect(terminal.screen).toHaveLength(2);
    terminal.time = 12;
    progress.update(100, { loss: 1 });
    progress.finish();
    progress.finish();
    expect(terminal.screen).toEqual(['checkpoint written', 'train 100/100 in 12 s  loss 1', '']);
  });
});

describe('Progress in a pipe', () => {
  it('is silent but for the last line when it took less than two seconds', () => {
    const { terminal, progress } = start(false);
    for (let i = 1; i <= 100; i++) {
      terminal.time = i / 51;
      progress.update(i);
    }
    progress.finish({ loss: 0.5 });
    expect(terminal.written).toEqual(['train 100/100 in 2.0 s  loss 0.5\n']);
  });

  it.each([
    [100, [2, 10, 20, 30, 40, 50, 60, 70, 80, 90]],
    // Tenths of two seconds are too many lines.
    [20, [10, 35, 60, 85]],
    [5, [40]],
  ])(
    'prints a first line, one at every tenth if that takes its time, and a last one: %i s',
    (seconds, at) => {
      const { terminal, progress } = start(false);
      for (let i = 1; i <= 100; i++) {
        terminal.time = (i * seconds) / 100;
        progress.update(i, { loss: 1 });
      }
      progress.finish();
      const lines = terminal.screen.slice(0, -1);
      expect(lines[0]).toMatch(/^train \d+\/100 {2}\d+ % {2}ETA \S.* s {2}[\d.]+ steps\/s {2}loss 1$/);
      expect(lines.map((line) => line.split('  ')[0])).toEqual([
        ...at.map((done) => `train ${done}/100`),
        expect.stringMatching(/^train 100\/100 in \d/),
      ]);
    },
  );

  it('prints a line every 30 seconds on a long way', () => {
    const { terminal, progress } = start(false, { total: 1e6 });
    for (let i = 1; i <= 200; i++) {
      terminal.time = i;
      progress.update(i);
    }
    const done = terminal.screen.slice(0, -1).map((line) => /\d+/.exec(line)?.[0]);
    expect(done).toEqual(['2', '32', '62', '92', '122', '152', '182']);
  });

  it('prints plain lines on a terminal when told so', () => {
    const { terminal, progress } = start(true, {}, false);
    terminal.time = 3;
    progress.update(30);
    expect(terminal.written).toEqual(['train 30/100  30 %  ETA 7.0 s  10 steps/s\n']);
  });
});

describe('Progress', () => {
  it('leaves pauses out of rate and ETA, however they are nested into steps', () => {
    const { terminal, progress } = start(false);
    terminal.time = 5;
    progress.update(10);
    terminal.time = 6;
    progress.pause();
    progress.pause();
    terminal.time = 1006;
    progress.resume();
    progress.resume();
    terminal.time = 1010;
    progress.update(20);
    progress.pause();
    terminal.time = 2010;
    progress.resume();
    terminal.time = 2015;
    progress.update(30);
    const lines = terminal.screen.slice(0, -1);
    expect(lines).toEqual([
      'train 10/100  10 %  ETA 45 s  2 steps/s',
      'train 20/100  20 %  ETA 40 s  2 steps/s',
      'train 30/100  30 %  ETA 35 s  2 steps/s',
    ]);
  });

  it('counts only what this process did in a resumed run', () => {
    const { terminal, progress } = start(false, { done: 60 });
    terminal.time = 4;
    progress.update(70);
    terminal.time = 8;
    progress.finish();
    expect(terminal.written).toEqual([
      'train 70/100  70 %  ETA 12 s  2.5 steps/s\n',
      'train 70/100 (10 now) in 8.0 s\n',
    ]);
  });

  it('does without a total', () => {
    for (const isTTY of [false, true]) {
      const terminal = new FakeTerminal(isTTY);
      const progress = new Progress(new Console(terminal, { env: {} }), { label: 'scan', now: terminal.now });
      terminal.time = 4;
      progress.update(10);
      expect(terminal.screen[0]).toBe(isTTY ? 'scan  10  2.5 steps/s' : 'scan 10  2.5 steps/s');
      progress.finish();
      expect(terminal.screen.at(-2)).toBe('scan 10 in 4.0 s');
    }
  });

  it('is done at once when there is nothing to do', () => {
    const { terminal, progress } = start(true, { total: 0 });
    expect(terminal.screen[0]).toBe(`train [${'#'.repeat(30)}]  100 %`);
    progress.finish();
    expect(terminal.screen).toEqual(['train 0/0 in 0.0 s', '']);
  });
});

describe('formatNumber', () => {
  it.each([
    [0, '0'],
    [1.23456, '1.235'],
    [0.000123456, '0.0001235'],
    [0.00001, '1.00e-5'],
    [123456, '123456'],
    [2e6, '2.00e+6'],
    [-0.5, '-0.5'],
    [Number.NaN, 'NaN'],
  ])('%d is %s', (value, expected) => {
    expect(formatNumber(value)).toBe(expected);
  });
});
