import { availableParallelism } from 'node:os';
import { expect, it } from 'vitest';
import { UserError } from '../../src/core/errors.js';
import { parseArguments } from '../../tools/bench/arguments.js';

it('runs everything at the reference sizes by default', () => {
  expect(parseArguments([])).toEqual({
    names: ['step', 'forward', 'detect', 'pipeline', 'coco', 'convert'],
    batch: 8,
    side: 224,
    rounds: 5,
    threads: availableParallelism(),
    python: 'python3',
    help: false,
  });
});

it('takes names and options in any order', () => {
  const args = [
    '--batch',
    '4',
    'pipeline',
    '--side=96',
    '--rounds',
    '2',
    '--threads',
    '1',
    '--python',
    '/a b/python',
  ];
  expect(parseArguments(args)).toEqual({
    names: ['pipeline'],
    batch: 4,
    side: 96,
    rounds: 2,
    threads: 1,
    python: '/a b/python',
    help: false,
  });
});

it.each([
  [['cocoa'], 'cocoa: is no benchmark\n  choose from: step, forward, detect, pipeline, coco, convert'],
  [
    ['--batch', '0'],
    '--batch: is not a number this benchmark can use (found "0")\n  give a whole number of at least 1',
  ],
  [
    ['--side', '32'],
    '--side: is not a number this benchmark can use (found "32")\n  give a whole number of at least 64',
  ],
  [
    ['--rounds', '1.5'],
    '--rounds: is not a number this benchmark can use (found "1.5")\n  give a whole number of at least 1',
  ],
])('refuses %j', (args, message) => {
  expect(() => parseArguments(args)).toThrow(UserError);
  expect(() => parseArguments(args)).toThrow(message);
});

it('refuses an unknown option', () => {
  expect(() => parseArguments(['--bacth', '4'])).toThrow(UserError);
  expect(() => parseArguments(['--bacth', '4'])).toThrow(/--bacth[\s\S]*npm run bench -- --help/);
});
