import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { commandAgain } from '../../src/cli/command-line.js';
import { quoteForShell } from '../../src/core/shell.js';

it('plain words stay as they are', () => {
  expect(quoteForShell(['scrl', 'pretrain', '--resume', '/data/runs/a_000'])).toBe(
    'scrl pretrain --resume /data/runs/a_000',
  );
});

it('a shell reads any words back', () => {
  const word = fc
    .string({ unit: 'grapheme', minLength: 0, maxLength: 12 })
    .filter((text) => !text.includes('\0'));
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 6 }), (words) => {
      const script = `for word in ${quoteForShell(words)}; do printf '%s\\0' "$word"; done`;
      expect(execFileSync('sh', ['-c', script]).toString()).toBe(words.map((text) => `${text}\0`).join(''));
    }),
    { numRuns: 40, seed: 1 },
  );
});

it('a command again has its options, those that were changed in their new form', () => {
  const argv = { _: ['linear'], $0: 'scrl', config: 'c.yaml', fast: true, overwrite: true, role: undefined };
  expect(commandAgain(argv, { overwrite: undefined, save_dir: 'my runs' })).toEqual([
    'scrl',
    'linear',
    '--config',
    'c.yaml',
    '--fast',
    '--save_dir',
    'my runs',
  ]);
});
