import { describe, expect, it } from 'vitest';
import {
  accepts,
  allowed,
  boolean,
  choice,
  integer,
  integers,
  type Leaf,
  nullable,
  number,
  numbers,
  pair,
  string,
} from '../../src/config/leaf.js';

const count = integer(3, { min: 1 }, '');
const share = number(0.5, { above: 0, max: 1 }, '');
const ratio = number(0.5, { min: 0, below: 1 }, '');
const blur = choice('resized', ['resized', 'gaussian'], '');
const scale = pair([0.2, 1], { above: 0, max: 1 }, '');

describe('a leaf accepts', () => {
  const cases: [string, Leaf, unknown[], unknown[]][] = [
    ['booleans', boolean(true, ''), [true, false], ['true', 'yes', 0, 1, null, undefined, []]],
    ['integers', count, [1, 2 ** 53 - 1], [0, -1, 1.5, '1', 2 ** 53, Number.NaN, null, [1]]],
    [
      'numbers, bounds apart',
      share,
      [1e-300, 1],
      [0, 1.0001, Number.NaN, Number.POSITIVE_INFINITY, '0.5', null],
    ],
    ['numbers, bounds the other way round', ratio, [0, 0.999], [-1e-9, 1]],
    ['texts', string('', ''), ['', 'a', '1'], [1, true, null, ['a']]],
    ['nullable texts', nullable(string('', ''), null), ['a', null], ['', 1]],
    ['one of several texts', blur, ['resized', 'gaussian'], ['Resized', '', null, 0]],
    [
      'pairs',
      scale,
      [
        [0.2, 1],
        [1, 0.2],
      ],
      [[0.2], [0.2, 1, 1], [0, 1], [0.2, 2], ['0.2', '1'], 0.2, '0.2,1', null],
    ],
    [
      'lists of integers',
      integers([1, 2], { min: 1 }, ''),
      [[], [3], [3, 1, 2]],
      [[0], [1.5], ['1'], 1, '1,2', null, [[1]]],
    ],
    ['lists of numbers', numbers([0.5], { above: 0 }, ''), [[], [0.1, 3]], [[0], [Number.NaN], 0.5, null]],
    ['null where it is allowed', nullable(count, 3), [null, 1], [0, undefined]],
  ];
  it.each(cases)('%s', (_, leaf, good, bad) => {
    for (const value of good) expect(accepts(leaf, value), String(value)).toBe(true);
    for (const value of bad) expect(accepts(leaf, value), String(value)).toBe(false);
  });
});

it('says what it accepts', () => {
  const leaves: Leaf[] = [boolean(true, ''), count, share, ratio, blur, scale, string('', '')];
  expect(
    [
      ...leaves,
      nullable(count, null),
      nullable(string('', ''), null),
      number(1, {}, ''),
      integers([], {}, ''),
      numbers([], { min: 0 }, ''),
    ].map(allowed),
  ).toEqual([
    'true or false',
    'an integer of at least 1',
    'a number above 0 and at most 1',
    'a number of at least 0 and below 1',
    'one of resized, gaussian',
    'two numbers [low, high], each above 0 and at most 1',
    'a text',
    'an integer of at least 1, or null',
    'a text that is not empty, or null',
    'a number',
    'a list of integers',
    'a list of numbers, each of at least 0',
  ]);
});
