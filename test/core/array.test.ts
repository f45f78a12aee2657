import { describe, expect, it } from 'vitest';
import {
  bytesOf,
  DTYPES,
  type DType,
  elementCount,
  elementSize,
  fromFloat32,
  gatherStrided,
  hostTensor,
  loadTensor,
  rowMajorStrides,
  tensorFromBytes,
  toFloat32,
} from '../../src/core/array.js';
import { RandomStream } from '../../src/core/rng.js';

const widen = (dtype: 'float16' | 'bfloat16', bits: number) =>
  toFloat32(hostTensor(dtype, [], Uint16Array.of(bits))).data[0];
const narrow = (dtype: 'float16' | 'bfloat16', value: number) =>
  Number(fromFloat32(hostTensor('float32', [], Float32Array.of(value)), dtype).data[0]);

describe('hostTensor', () => {
  it('takes elements that fit, for every type', () => {
    const sizes = DTYPES.map((dtype) => `${dtype} ${elementSize(dtype)}`);
    expect(sizes).toEqual([
      'float64 8',
      'float32 4',
      'float16 2',
      'bfloat16 2',
      'int64 8',
      'int32 4',
      'int16 2',
      'int8 1',
      'uint8 1',
      'bool 1',
    ]);
    expect(hostTensor('int64', [], BigInt64Array.of(3n)).shape).toEqual([]);
    expect(hostTensor('bool', [2, 0], new Uint8Array(0)).data.length).toBe(0);
  });

  it('refuses what does not fit', () => {
    expect(() => hostTensor('float32', [2, 3], new Float32Array(5))).toThrow(
      'tensor: shape [2,3] needs 6 elements, but 5 were given',
    );
    expect(() => hostTensor('float32', [-1], new Float32Array(1))).toThrow('natural numbers');
    expect(() => hostTensor('float32', [1], new Float64Array(1) as never)).toThrow('needs a Float32Array');
    expect(() => tensorFromBytes('int16', [3], new Uint8Array(5))).toThrow('needs 6 bytes, not 5');
  });

  it('goes to bytes and back, aligned or not', () => {
    const tensor = hostTensor('float32', [3], Float32Array.of(1, 2, 3));
    const shifted = new Uint8Array(13);
    shifted.set(bytesOf(tensor), 1);
    expect(tensorFromBytes('float32', [3], shifted.subarray(1))).toEqual(tensor);
    expect(tensorFromBytes('float32', [3], bytesOf(tensor) as Uint8Array<ArrayBuffer>).data.buffer).toBe(
      tensor.data.buffer,
    );
  });

  it('is loaded when it is lazy', async () => {
    const tensor = hostTensor('uint8', [1], Uint8Array.of(7));
    expect(await loadTensor(tensor)).toBe(tensor);
    expect(await loadTensor({ dtype: 'uint8', shape: [1], load: async () => tensor })).toBe(tensor);
  });
});

describe('float16', () => {
  it.each([
    [0x3c00, 1],
    [0xc000, -2],
    [0x7bff, 65504],
    [0x0400, 2 ** -14],
    [0x0001, 2 ** -24],
    [0x03ff, 1023 * 2 ** -24],
    [0x8000, -0],
    [0x7c00, Number.POSITIVE_INFINITY],
    [0xfc00, Number.NEGATIVE_INFINITY],
    [0x7e00, Number.NaN],
    [0x3555, 0.333251953125],
  ])('bits %i are %d', (bits, value) => {
    expect(widen('float16', bits)).toBe(value);
    expect(narrow('float16', value)).toBe(bits);
  });

  it('rounds to nearest, ties to even', () => {
    expect(narrow('float16', 1 + 2 ** -11)).toBe(0x3c00);
    expect(narrow('float16', 1 + 3 * 2 ** -11)).toBe(0x3c02);
    expect(narrow('float16', 65519)).toBe(0x7bff);
    expect(narrow('float16', 65520)).toBe(0x7c00);
    expect(narrow('float16', 2 ** -25)).toBe(0);
    expect(narrow('float16', 2 ** -25 * 1.0001)).toBe(1);
    expect(narrow('float16', 3 * 2 ** -25)).toBe(2);
    expect(narrow('float16', 1e-40)).toBe(0);
  });

  it('keeps every value on the way to float32 and back', () => {
    const bits = Uint16Array.from({ length: 65536 }, (_, i) => i);
    const wide = toFloat32(hostTensor('float16', [65536], bits));
    const back = fromFloat32(wide, 'float16').data;
    for (let i = 0; i < 65536; i++) {
      if (Number.isNaN(wide.data[i])) expect(Number(back[i]) & 0x7e00).toBe(0x7e00);
      else if (back[i] !== bits[i]) expect(back[i]).toBe(bits[i]);
    }
  });

  it('is the nearest of all values for random numbers', () => {
    const all = Array.from({ length: 0x7c00 }, (_, i) => widen('float16', i));
    const random = new RandomStream(1, 'half');
    for (let i = 0; i < 50; i++) {
      const value = Math.fround(2 ** random.between(-26, 15.9));
      const found = widen('float16', narrow('float16', value));
      const least = Math.min(...all.map((candidate) => Math.abs(candidate - value)));
      expect(Math.abs(found - value)).toBe(least);
    }
  });
});

describe('bfloat16', () => {
  it.each([
    [0x3fc0, 1.5],
    [0xc000, -2],
    [0x0001, 2 ** -133],
    [0x7f80, Number.POSITIVE_INFINITY],
    [0x7fc0, Number.NaN],
  ])('bits %i are %d', (bits, value) => {
    expect(widen('bfloat16', bits)).toBe(value);
    expect(narrow('bfloat16', value)).toBe(bits);
  });

  it('rounds to nearest, ties to even', () => {
    expect(narrow('bfloat16', 1 + 2 ** -8)).toBe(0x3f80);
    expect(narrow('bfloat16', 1 + 3 * 2 ** -8)).toBe(0x3f82);
    expect(narrow('bfloat16', 3.4e38)).toBe(0x7f80);
  });
});

describe('toFloat32', () => {
  it('converts the other types by value, and leaves float32 alone', () => {
    const tensor = hostTensor('float32', [1], Float32Array.of(3));
    expect(toFloat32(tensor)).toBe(tensor);
    expect(toFloat32(hostTensor('int64', [2], BigInt64Array.of(-1n, 5n))).data).toEqual(
      Float32Array.of(-1, 5),
    );
    expect(toFloat32(hostTensor('float64', [1], Float64Array.of(0.1))).data[0]).toBe(Math.fround(0.1));
    expect(fromFloat32(tensor, 'float64').data).toEqual(Float64Array.of(3));
  });
});

describe('gatherStrided', () => {
  it('agrees with the definition, for every type and random views', () => {
    const random = new RandomStream(3, 'gather');
    for (let round = 0; round < 300; round++) {
      const dtype: DType = DTYPES[random.integer(0, DTYPES.length)];
      const size = elementSize(dtype);
      const shape = Array.from({ length: random.integer(0, 5) }, () => random.integer(0, 4));
      const axes = random.shuffle(shape.map((_, axis) => axis));
      const dense = rowMajorStrides(axes.map((axis) => shape[axis]));
      const strides = shape.map((_, axis) => (random.chance(0.1) ? 0 : dense[axes.indexOf(axis)]));
      const offset = random.integer(0, 3);
      const bytes = Uint8Array.from({ length: (offset + elementCount(shape)) * size }, () =>
        random.integer(0, 256),
      );
      const expected: number[] = [];
      for (let i = 0; i < elementCount(shape); i++) {
        let rest = i;
        let at = offset;
        for (let axis = shape.length - 1; axis >= 0; axis--) {
          at += (rest % shape[axis]) * strides[axis];
          rest = Math.floor(rest / shape[axis]);
        }
        expected.push(...bytes.subarray(at * size, (at + 1) * size));
      }
      expect([...gatherStrided(bytes, size, shape, strides, offset)]).toEqual(expected);
    }
  });
});
