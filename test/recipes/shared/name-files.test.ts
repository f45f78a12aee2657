import { expect, it } from 'vitest';
import { nameFiles } from '../../../src/recipes/shared/name-files.js';

const file = (path: string) => ({ path, reason: 'the file is empty' });

it('names the first files, each once, and counts the others', () => {
  expect(nameFiles([])).toBe('');
  expect(nameFiles([file('a.jpg'), file('a.jpg')])).toBe('\n  a.jpg: the file is empty');
  expect(nameFiles(['a', 'b', 'c', 'd', 'e'].map(file))).toBe(
    '\n  a: the file is empty\n  b: the file is empty\n  c: the file is empty\n  and 2 more',
  );
});
