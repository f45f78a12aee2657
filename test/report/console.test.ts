import { describe, expect, it } from 'vitest';
import { Console } from '../../src/report/console.js';
import { FakeTerminal } from './terminal.js';

describe('Console', () => {
  it('keeps the live line below the log lines', () => {
    const terminal = new FakeTerminal(true);
    const console = new Console(terminal, { env: { NO_COLOR: '1' } });
    console.info('first');
    console.setLive('50 %');
    console.info('second');
    console.warn('third');
    console.setLive('60 %');
    expect(terminal.screen).toEqual(['first', 'second', 'warning: third', '60 %']);
    console.setLive('');
    console.info('fourth');
    expect(terminal.screen).toEqual(['first', 'second', 'warning: third', 'fourth', '']);
  });

  it('keeps the live line on one line and within the terminal', () => {
    const terminal = new FakeTerminal(true);
    terminal.columns = 12;
    const console = new Console(terminal, { env: {} });
    console.setLive('a\nb \x1b[31mred\x1b[39m and more');
    expect(terminal.screen).toEqual(['a b red and']);
    terminal.columns = 6;
    console.info('x');
    expect(terminal.screen).toEqual(['x', 'a b r']);
  });

  it.each<[string, boolean, object]>([
    ['on a pipe', false, { env: {} }],
    ['on a dumb terminal', true, { env: { TERM: 'dumb' } }],
    ['when told so', true, { live: false, env: { NO_COLOR: '1' } }],
    ['for warnings only', true, { level: 'warn', env: { NO_COLOR: '1' } }],
  ])('has no live line %s, and no control characters', (_, isTTY, options) => {
    const terminal = new FakeTerminal(isTTY);
    const console = new Console(terminal, options);
    console.setLive('50 %');
    console.warn('careful');
    expect(terminal.written).toEqual(['warning: careful\n']);
  });

  it('colours warnings on a terminal unless NO_COLOR is set to something', () => {
    const warning = (env: Record<string, string>): string => {
      const terminal = new FakeTerminal(true);
      new Console(terminal, { env }).warn('careful');
      return terminal.written.join('');
    };
    expect(warning({})).toBe('\x1b[33mwarning:\x1b[39m careful\n');
    expect(warning({ NO_COLOR: '' })).toBe('\x1b[33mwarning:\x1b[39m careful\n');
    expect(warning({ NO_COLOR: '1' })).toBe('warning: careful\n');
  });

  it.each([
    ['warn', 'warning: w'],
    ['info', 'i|warning: w'],
    ['debug', 'i|warning: w|d'],
  ] as const)('prints at level %s: %s', (level, expected) => {
    const terminal = new FakeTerminal(false);
    const console = new Console(terminal, { level });
    console.info('i');
    console.warn('w');
    console.debug('d');
    expect(terminal.screen.slice(0, -1).join('|')).toBe(expected);
  });
});
