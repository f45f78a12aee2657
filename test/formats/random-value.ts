/** Seeded random values of every kind that a `.pth` file can hold. */

import { DTYPES, type DType, elementCount, elementSize, tensorFromBytes } from '../../src/core/array.js';
import type { RandomStream } from '../../src/core/rng.js';
import { type FileValue, float } from '../../src/formats/value.js';
import { normal } from '../helpers/arrays.js';

/** Random bytes, so NaNs with any payload occur; bool holds 0 and 1 only. */
export function randomTensor(random: RandomStream, dtype: DType, shape: readonly number[]) {
  const bytes = new Uint8Array(elementCount(shape) * elementSize(dtype));
  for (let i = 0; i < bytes.length; i++) bytes[i] = random.integer(0, dtype === 'bool' ? 2 : 256);
  return tensorFromBytes(dtype, shape, bytes);
}

export function randomShape(random: RandomStream): number[] {
  return Array.from({ length: random.integer(0, 5) }, () => random.integer(0, 5));
}

export function randomValue(random: RandomStream, depth = 0): FileValue {
  const kinds: (() => FileValue)[] = [
    () => null,
    () => random.chance(0.5),
    () => random.integer(-(2 ** 40), 2 ** 40),
    () => random.integer(-300, 70_000),
    () => (random.chance(0.5) ? 1n : -1n) * (BigInt(random.next()) << BigInt(random.integer(40, 90))),
    () => float(random.integer(-5, 5)),
    () => float(normal(random) * 10 ** random.integer(-300, 300)),
    () => float([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0][random.integer(0, 4)]),
    () => ['', 'layer1.0.conv1.weight', 'größer', '日本語 🎉', 'a\nb\0c'][random.integer(0, 5)],
    () => Uint8Array.from({ length: random.integer(0, 9) }, () => random.integer(0, 256)),
    () => randomTensor(random, DTYPES[random.integer(0, DTYPES.length)], randomShape(random)),
  ];
  const containers: (() => FileValue)[] = [
    () => Array.from({ length: random.integer(0, 5) }, () => randomValue(random, depth + 1)),
    () =>
      new Map(
        Array.from({ length: random.integer(0, 5) }, (_, i): [string | number, FileValue] => [
          random.chance(0.3) ? i : `key ${i}`,
          randomValue(random, depth + 1),
        ]),
      ),
  ];
  const all = depth < 4 ? [...kinds, ...containers, ...containers, ...containers] : kinds;
  return all[random.integer(0, all.length)]();
}
