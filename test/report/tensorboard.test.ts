import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UserError } from '../../src/core/errors.js';
import { maskedCrc32c } from '../../src/report/crc32c.js';
import { encodeEvent } from '../../src/report/event-proto.js';
import { TensorBoardWriter } from '../../src/report/tensorboard.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'scrl-tensorboard-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** The records of a file in hexadecimal, both checksums verified; an unfinished one at the end is left out. */
function records(path: string): string[] {
  const bytes = readFileSync(path);
  const found: string[] = [];
  for (let at = 0; at + 12 <= bytes.length; ) {
    const length = Number(bytes.readBigUInt64LE(at));
    if (at + 16 + length > bytes.length) break;
    expect(bytes.readUInt32LE(at + 8)).toBe(maskedCrc32c(bytes.subarray(at, at + 8)));
    const data = bytes.subarray(at + 12, at + 12 + length);
    expect(bytes.readUInt32LE(at + 12 + length)).toBe(maskedCrc32c(data));
    found.push(data.toString('hex'));
    at += 16 + length;
  }
  return found;
}

const hex = (...event: Parameters<typeof encodeEvent>): string =>
  Buffer.from(encodeEvent(...event)).toString('hex');

describe('TensorBoardWriter', () => {
  it('writes a file version, then metrics, under the name that TensorBoard looks for', () => {
    let time = 1234.5;
    const writer = new TensorBoardWriter(join(folder, 'new'), { fromStep: 0, now: () => time, host: 'here' });
    time = 1235;
    writer.write(7, { sLoss: 0.25, lr: Number.NaN });
    writer.close();
    writer.close();
    expect(basename(writer.path)).toBe('events.out.tfevents.0000001234.here');
    expect(records(writer.path)).toEqual([
      hex(1234.5, 0, { kind: 'file-version' }),
      hex(1235, 7, {
        kind: 'scalars',
        values: [
          ['sLoss', 0.25],
          ['lr', Number.NaN],
        ],
      }),
    ]);
  });

  it('flushes when it is due, so that a killed process leaves a readable file', () => {
    let time = 100;
    const writer = new TensorBoardWriter(folder, { fromStep: 0, flushSeconds: 10, now: () => time });
    expect(records(writer.path)).toHaveLength(1);
    for (time = 101; time < 110; time++) writer.write(time, { a: 1 });
    expect(records(writer.path)).toHaveLength(1);
    writer.write(110, { a: 1 });
    expect(records(writer.path)).toHaveLength(11);
    writer.write(111, { a: 1 });
    writer.flush();
    expect(records(writer.path)).toHaveLength(12);
  });

  it('opens another file for a resumed run, even within the same second, and says where it takes over', () => {
    const options = { now: () => 5, host: 'h' };
    new TensorBoardWriter(folder, { ...options, fromStep: 0 }).close();
    const resumed = new TensorBoardWriter(folder, { ...options, fromStep: 40 });
    resumed.close();
    expect(readdirSync(folder)).toEqual([
      'events.out.tfevents.0000000005.h',
      'events.out.tfevents.0000000005.h.1',
    ]);
    expect(records(resumed.path)).toEqual([
      hex(5, 0, { kind: 'file-version' }),
      hex(5, 40, { kind: 'session-start' }),
    ]);
  });

  it('reads the size of a picture from its PNG header', () => {
    const png = Buffer.alloc(33);
    png.write('89504e470d0a1a0a0000000d49484452', 'hex');
    png.writeUInt32BE(640, 16);
    png.writeUInt32BE(480, 20);
    const writer = new TensorBoardWriter(folder, { fromStep: 0, now: () => 5 });
    writer.image(3, 'views', png);
    writer.close();
    const image = { png, width: 640, height: 480 };
    expect(records(writer.path)[1]).toBe(hex(5, 3, { kind: 'image', tag: 'views', image }));
  });

  it('refuses other pictures, and everything after it was closed', () => {
    const writer = new TensorBoardWriter(folder, { fromStep: 0 });
    expect(() => writer.image(0, 'a', new Uint8Array(100))).toThrow('must be the bytes of a PNG file');
    writer.close();
    expect(() => writer.write(0, { a: 1 })).toThrow('is closed');
  });

  it('explains a folder that cannot be created', () => {
    writeFileSync(join(folder, 'file'), '');
    expect(() => new TensorBoardWriter(join(folder, 'file'), { fromStep: 0 })).toThrow(UserError);
  });
});
