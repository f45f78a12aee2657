/** Many variables in one call: whatever the groups, what is read is what was written, as it is now. */

import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Runtime } from '../../src/engine/runtime.js';
import type { Variable } from '../../src/engine/variable.js';
import { openRuntime } from '../helpers/engine.js';

let runtime: Runtime;
const variables: Variable[] = [];
const content = (i: number) => Float32Array.from({ length: 3 * i + 1 }, (_, j) => i + j / 100);

beforeAll(async () => {
  runtime = await openRuntime();
  for (let i = 0; i < 6; i++) variables.push(runtime.variable(`v${i}`, [3 * i + 1]));
});
afterAll(() => runtime.close());

/** In bytes: every variable a call of its own, two or three together, all together. */
const LIMITS = [1, 60, 1e6];

it.each(LIMITS)('values written %d bytes at a time are all there', async (limit) => {
  await runtime.clear(variables);
  expect(await runtime.readAll(variables)).toEqual(variables.map(({ size }) => new Float32Array(size)));
  await runtime.writeAll(
    variables.map((variable, i) => [variable, content(i)] as const),
    limit,
  );
  for (const [i, variable] of variables.entries()) expect(await runtime.read(variable)).toEqual(content(i));
});

it('writes no group with a value of the wrong size in it, and says which', async () => {
  const wrong = [
    [variables[0], Float32Array.of(7)],
    [variables[1], Float32Array.of(7)],
  ] as const;
  await expect(runtime.writeAll(wrong)).rejects.toThrow('variable v1 has shape [4], got 1 elements');
  expect(await runtime.read(variables[0])).toEqual(content(0));
});

it.each(LIMITS)('reads in any order, more than once, and side by side, %d bytes ahead', async (limit) => {
  const reader = runtime.readAhead(variables, limit);
  for (const i of [0, 1, 2, 5, 4, 3, 3, 0]) expect(await reader.read(variables[i])).toEqual(content(i));
  const all = await Promise.all(variables.map((variable) => reader.read(variable)));
  expect(all).toEqual(variables.map((_, i) => content(i)));
});

it('makes one call for a group', async () => {
  const reader = runtime.readAhead(variables);
  const before = runtime.calls;
  for (const variable of variables) await reader.read(variable);
  expect(runtime.calls - before).toBe(1);
});

it('never gives what a later call has changed', async () => {
  const reader = runtime.readAhead(variables);
  await reader.read(variables[0]);
  await runtime.write(variables[1], new Float32Array(4).fill(9));
  expect(await reader.read(variables[1])).toEqual(new Float32Array(4).fill(9));
});
