/**
 * Event files read back by TensorBoard's own reader, in Python. Needs `pip install tensorboard` in the Python that
 * `SCRL_PYTHON` names (default `python3`); fails without it.
 */

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodePng } from '../../src/image/encode.js';
import { TensorBoardWriter } from '../../src/report/tensorboard.js';

interface Events {
  file_version: number;
  scalars: Record<string, [wallTime: number, step: number, value: number][]>;
  images: Record<string, [step: number, width: number, height: number, sha256: string][]>;
}

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'scrl-tensorboard-parity-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function readBack(): Events {
  const script = join(import.meta.dirname, 'python', 'tensorboard_events.py');
  const text = execFileSync(process.env.SCRL_PYTHON ?? 'python3', [script, folder], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return JSON.parse(text) as Events;
}

describe('TensorBoard reads', () => {
  it('scalars, with their steps, times and 32-bit values', () => {
    let time = 1_700_000_000.25;
    const writer = new TensorBoardWriter(folder, { fromStep: 0, now: () => time, host: 'host' });
    const sLoss = [];
    const other = [];
    for (const step of [0, 1, 127, 128, 300_000, 2 ** 33]) {
      time += 1.5;
      writer.write(step, { sLoss: 1 / (step + 1), 'eval/top 1 – é': -step });
      sLoss.push([time, step, Math.fround(1 / (step + 1))]);
      other.push([time, step, Math.fround(-step)]);
    }
    writer.close();
    expect(readBack()).toEqual({
      file_version: 2,
      scalars: { sLoss, 'eval/top 1 – é': other },
      images: {},
    });
  });

  it('pictures', async () => {
    const png = await encodePng({
      data: Uint8Array.from({ length: 5 * 3 * 3 }, (_, i) => i),
      width: 5,
      height: 3,
    });
    const writer = new TensorBoardWriter(folder, { fromStep: 0 });
    writer.image(9, 'views', png);
    writer.close();
    const sha256 = createHash('sha256').update(png).digest('hex');
    expect(readBack().images).toEqual({ views: [[9, 5, 3, sha256]] });
  });

  it('everything before the place where a file was cut off', () => {
    const writer = new TensorBoardWriter(folder, { fromStep: 0, now: () => 1 });
    for (let step = 0; step < 10; step++) writer.write(step, { a: step });
    writer.close();
    truncateSync(writer.path, readFileSync(writer.path).length - 3);
    expect(readBack().scalars.a.map(([, step]) => step)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('each step of a resumed run once', () => {
    let time = 10;
    const first = new TensorBoardWriter(folder, { fromStep: 0, now: () => time, host: 'h' });
    for (let step = 0; step < 8; step++) first.write(step, { a: step });
    first.flush();
    // Killed while it was writing a record.
    appendFileSync(first.path, Buffer.from([25, 0, 0]));
    time = 20;
    const second = new TensorBoardWriter(folder, { fromStep: 5, now: () => time, host: 'h' });
    for (let step = 5; step < 10; step++) second.write(step, { a: 100 + step });
    second.close();
    first.close();
    expect(readBack().scalars.a.map(([, step, value]) => [step, value])).toEqual([
      ...[0, 1, 2, 3, 4].map((step) => [step, step]),
      ...[5, 6, 7, 8, 9].map((step) => [step, 100 + step]),
    ]);
  });
});
