import { expect, it } from 'vitest';
import { UserError } from '../../src/core/errors.js';

it('a mistake keeps what is known of it when somebody knows more', () => {
  const first = new UserError('is damaged', { where: 'a.pth', key: 'x', remedy: 'copy it again' });
  const told = first.with({ where: 'run/a.pth', remedy: 'b.pth is whole' });
  expect(told.message).toBe('run/a.pth: x: is damaged\n  copy it again\n  b.pth is whole');
  expect(told.details).toEqual({
    where: 'run/a.pth',
    key: 'x',
    remedy: 'copy it again\n  b.pth is whole',
    cause: first,
  });
  expect([first.message, told.problem, told.cause]).toEqual([
    'a.pth: x: is damaged\n  copy it again',
    'is damaged',
    first,
  ]);
  expect(new UserError('is damaged').with({ key: 'x' }).message).toBe('x: is damaged');
});
