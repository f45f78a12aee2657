import { describe, expect, it } from 'vitest';
import {
  hwioToOihw,
  matchStateDict,
  oihwToHwio,
  permute,
  stateDictOf,
  transposeLinear,
} from '../../src/checkpoint/state-dict.js';
import { DTYPES, hostTensor } from '../../src/core/array.js';
import { nearest } from '../../src/core/nearest.js';
import { RandomStream } from '../../src/core/rng.js';
import { randomTensor } from '../formats/random-value.js';

describe('layouts', () => {
  it('turns OIHW into HWIO: out 2, in 1, 1 x 2', () => {
    // filters[o][0][0][w]: o = 0 holds 1 2, o = 1 holds 3 4
    const oihw = hostTensor('float32', [2, 1, 1, 2], Float32Array.of(1, 2, 3, 4));
    expect(oihwToHwio(oihw)).toEqual(hostTensor('float32', [1, 2, 1, 2], Float32Array.of(1, 3, 2, 4)));
  });

  it('turns [out, in] into [in, out]', () => {
    const weight = hostTensor('int64', [2, 3], BigInt64Array.of(1n, 2n, 3n, 4n, 5n, 6n));
    expect(transposeLinear(weight)).toEqual(
      hostTensor('int64', [3, 2], BigInt64Array.of(1n, 4n, 2n, 5n, 3n, 6n)),
    );
  });

  it('is undone by its inverse, to the bit, for every type', () => {
    const random = new RandomStream(1, 'layout');
    for (const dtype of DTYPES) {
      for (const shape of [
        [2, 3, 4, 5],
        [3, 1, 1, 2],
        [0, 2, 3, 3],
      ]) {
        const tensor = randomTensor(random, dtype, shape);
        expect(hwioToOihw(oihwToHwio(tensor))).toEqual(tensor);
        expect(oihwToHwio(tensor).shape).toEqual([shape[2], shape[3], shape[1], shape[0]]);
      }
    }
  });

  it('refuses what is no permutation', () => {
    const tensor = hostTensor('uint8', [2, 3], new Uint8Array(6));
    expect(() => permute(tensor, [0, 0])).toThrow(
      'permute: axes [0,0] do not name each axis of shape [2,3] once',
    );
    expect(() => permute(tensor, [0])).toThrow(RangeError);
    expect(permute(hostTensor('uint8', [], Uint8Array.of(1)), [])).toEqual(
      hostTensor('uint8', [], Uint8Array.of(1)),
    );
  });
});

describe('stateDictOf', () => {
  const tensor = hostTensor('uint8', [], Uint8Array.of(1));

  it('takes a state dict out of a checkpoint', () => {
    const weights = new Map([['w', tensor]]);
    expect(stateDictOf(weights, 'a.pth')).toEqual(weights);
    expect(stateDictOf(new Map([['model', weights]]), 'a.pth', 'model')).toEqual(weights);
    expect(stateDictOf(new Map(), 'a.pth').size).toBe(0);
  });

  it('says what the file holds instead', () => {
    const file = new Map<string, number | Map<string, number>>([
      ['epoch', 1],
      ['optimizer', new Map([['lr', 1]])],
    ]);
    expect(() => stateDictOf(file, 'a.pth', 'model')).toThrow(
      'a.pth: model: is not in the file\n  the file holds: epoch, optimizer',
    );
    expect(() => stateDictOf(file, 'a.pth', 'epoch')).toThrow('a.pth: epoch: is no state dict');
    expect(() => stateDictOf(file, 'a.pth', 'optimizer')).toThrow('"lr" is no tensor');
    expect(() => stateDictOf(3, 'a.pth')).toThrow('a.pth: is no state dict\n  name a checkpoint');
  });
});

describe('matchStateDict', () => {
  const shapes = (entries: Record<string, number[]>) => new Map(Object.entries(entries));
  const tensors = (entries: Record<string, number[]>) =>
    new Map(Object.entries(entries).map(([name, shape]) => [name, { shape }]));

  it('accepts equal names and shapes in any order', () => {
    matchStateDict(shapes({ a: [1], b: [] }), tensors({ b: [], a: [1] }));
    matchStateDict(new Map(), new Map());
  });

  it('reports everything at once', () => {
    const expected = shapes({
      'conv1.weight': [64, 3, 7, 7],
      'bn1.weight': [64],
      'fc.weight': [5, 8],
      'fc.bias': [5],
    });
    const found = tensors({
      'conv1.weight': [64, 4, 7, 7],
      'bn1.wieght': [64],
      zzz: [],
      'fc.weight': [5, 8],
    });
    expect(() => matchStateDict(expected, found, 'a.pth')).toThrow(
      [
        'a.pth: does not fit: 1 of 4 tensors match',
        '  missing (2):',
        '    bn1.weight',
        '    fc.bias',
        '  unexpected (2):',
        '    bn1.wieght (nearest: bn1.weight)',
        '    zzz',
        '  wrong shape (1):',
        '    conv1.weight: expected [64, 3, 7, 7], found [64, 4, 7, 7]',
        '  load a checkpoint of the same architecture',
      ].join('\n'),
    );
  });

  it('shortens long lists', () => {
    const expected = new Map(Array.from({ length: 25 }, (_, i) => [`w${i}`, []]));
    expect(() => matchStateDict(expected, new Map())).toThrow(
      /missing \(25\):\n( {4}w\d\n){10} {4}and 15 more\n/,
    );
  });
});

describe('nearest', () => {
  it('finds the name with the fewest edits, if it is near at all', () => {
    expect(nearest('layer1.0.cnv1', ['layer1.0.conv1', 'layer1.0.conv2', 'fc'])).toBe('layer1.0.conv1');
    expect(nearest('a', ['xyz'])).toBeUndefined();
    expect(nearest('a', [])).toBeUndefined();
  });
});
