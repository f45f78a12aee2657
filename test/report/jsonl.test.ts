import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UserError } from '../../src/core/errors.js';
import { formatMetrics, MetricsFile } from '../../src/report/jsonl.js';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'scrl-jsonl-'));
  path = join(folder, 'metrics.jsonl');
});
afterEach(() => rmSync(folder, { recursive: true }));

const text = (): string => readFileSync(path, 'utf8');
const steps = (...all: number[]): string => all.map((step) => `{"step":${step},"a":1}\n`).join('');

async function reopen(fromStep: number): Promise<string[]> {
  const warnings: string[] = [];
  const log = { info() {}, debug() {}, warn: (message: string) => warnings.push(message) };
  (await MetricsFile.open(path, fromStep, log)).close();
  return warnings;
}

describe('formatMetrics', () => {
  it('puts the step first', () => {
    expect(formatMetrics(3, { loss: 0.5, lr: 1e-7 })).toBe('{"step":3,"loss":0.5,"lr":1e-7}');
  });

  it('writes what JSON cannot hold as null and names it', () => {
    const metrics = { a: Number.NaN, b: 1, c: Number.POSITIVE_INFINITY, d: Number.NEGATIVE_INFINITY };
    expect(formatMetrics(0, metrics)).toBe(
      '{"step":0,"a":null,"b":1,"c":null,"d":null,"nonfinite":{"a":"NaN","c":"Infinity","d":"-Infinity"}}',
    );
  });
});

describe('MetricsFile', () => {
  it('has every line on the disk before the next is written', async () => {
    const file = await MetricsFile.open(join(folder, 'metrics.jsonl'), 0);
    file.write(0, { a: 1 });
    expect(text()).toBe(steps(0));
    file.write(1, { a: 1 });
    expect(text()).toBe(steps(0, 1));
    file.close();
    file.close();
    expect(() => file.write(2, { a: 1 })).toThrow('is closed');
  });

  it('drops the steps that a resumed run computes again, and goes on after them', async () => {
    writeFileSync(path, steps(0, 1, 2, 1, 3, 4));
    const file = await MetricsFile.open(path, 2);
    file.write(2, { a: 1 });
    file.close();
    expect(text()).toBe(steps(0, 1, 1, 2));
  });

  it('starts empty for a new run', async () => {
    writeFileSync(path, steps(0, 1));
    expect(await reopen(0)).toEqual([]);
    expect(text()).toBe('');
  });

  it('leaves a file alone that is in order', async () => {
    writeFileSync(path, steps(0, 1));
    const { ino } = statSync(path);
    expect(await reopen(2)).toEqual([]);
    expect(statSync(path).ino).toBe(ino);
    expect(text()).toBe(steps(0, 1));
  });

  it('mends whatever a kill left of the last line', async () => {
    const whole = '{"step":1,"é":2}\n';
    const bytes = Buffer.from(whole);
    for (let length = 1; length < bytes.length; length++) {
      writeFileSync(path, Buffer.concat([Buffer.from(steps(0)), bytes.subarray(0, length)]));
      const warnings = await reopen(9);
      const complete = length === bytes.length - 1;
      expect(text()).toBe(steps(0) + (complete ? whole : ''));
      expect(warnings).toEqual(complete ? [] : [`${path}: dropped 1 unreadable line`]);
    }
  });

  it('drops lines that are no metrics, and says how many', async () => {
    writeFileSync(path, `${steps(0)}[1]\n\n7\nnull\n{"step":"1"}\n${'\0'.repeat(8)}\n${steps(1)}`);
    expect(await reopen(5)).toEqual([`${path}: dropped 5 unreadable lines`]);
    expect(text()).toBe(steps(0, 1));
  });

  it('explains a path that is a folder', async () => {
    mkdirSync(path);
    await expect(MetricsFile.open(path, 0)).rejects.toThrow(UserError);
  });
});
