import { describe, expect, it } from 'vitest';
import { nearestPath } from '../../src/config/suggest.js';
import { editDistance, nearest } from '../../src/core/nearest.js';
import { RandomStream } from '../../src/core/rng.js';

/** The definition, by recursion. */
function slowDistance(a: string, b: string): number {
  if (a === '' || b === '') return a.length + b.length;
  const [restA, restB] = [a.slice(1), b.slice(1)];
  if (a[0] === b[0]) return slowDistance(restA, restB);
  return 1 + Math.min(slowDistance(restA, b), slowDistance(a, restB), slowDistance(restA, restB));
}

describe('editDistance', () => {
  it('counts insertions, deletions and replacements', () => {
    expect(editDistance('kitten', 'sitting')).toBe(3);
    expect(editDistance('', 'abc')).toBe(3);
    expect(editDistance('abc', '')).toBe(3);
    expect(editDistance('', '')).toBe(0);
    expect(editDistance('momentum', 'momentun')).toBe(1);
  });

  it('equals the recursive definition', () => {
    const stream = new RandomStream(1, 'words');
    const word = (): string =>
      Array.from({ length: stream.integer(0, 6) }, () => 'abc'[stream.integer(0, 3)]).join('');
    for (let i = 0; i < 200; i++) {
      const [a, b] = [word(), word()];
      expect(editDistance(a, b), `${a} ${b}`).toBe(slowDistance(a, b));
      expect(editDistance(b, a)).toBe(editDistance(a, b));
    }
  });
});

describe('nearest', () => {
  it('finds a misspelling, whatever the case', () => {
    expect(nearest('ResNet5', ['resnet18', 'resnet50'])).toBe('resnet50');
    expect(nearest('gausian', ['resized', 'gaussian'])).toBe('gaussian');
  });

  it('says nothing about a word that is like none', () => {
    expect(nearest('sgd', ['resized', 'gaussian'])).toBeUndefined();
    expect(nearest('x', [])).toBeUndefined();
    expect(nearest('x'.repeat(1000), ['x'.repeat(999)])).toBeUndefined();
  });
});

describe('nearestPath', () => {
  const known = [
    'seed',
    'train',
    'train/m',
    'train/optim',
    'train/optim/lr',
    'eval',
    'eval/optim/lr',
    'train/optim/momentum',
    'train/max_epochs',
  ];
  it.each([
    ['train/max_epoch', 'train/max_epochs'],
    ['trian', 'train'],
    ['train/lr', 'train/optim/lr'],
    ['eval/lr', 'eval/optim/lr'],
    ['lr', 'train/optim/lr'],
    ['optim/lr', 'train/optim/lr'],
    ['max_epochs', 'train/max_epochs'],
    ['max-epochs', 'train/max_epochs'],
    ['max_epoch', 'train/max_epochs'],
    ['optm/momentun', 'train/optim/momentum'],
    ['lrr', undefined],
    ['trian/max_epochs', 'train/max_epochs'],
    ['evil/optin/lt', 'eval/optim/lr'],
    ['train/nonsense', undefined],
    ['train/q', undefined],
    ['train/optim/dampening', undefined],
  ])('%s: %s', (path, expected) => {
    expect(nearestPath(path, known)).toBe(expected);
  });
});
