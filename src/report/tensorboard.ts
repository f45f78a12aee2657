/**
 * Event files that TensorBoard reads while a run is still going.
 *
 * A file is a sequence of records: length (8 bytes), its checksum, an `Event`, its checksum, all little-endian
 * (TensorFlow's record format). Records are gathered and appended in one piece every few seconds; readers stop at an
 * unfinished record, so a killed process leaves everything up to its last flush. A resumed run opens another file in
 * the same folder and first says at which step it takes over; TensorBoard then forgets the steps that are run again.
 */

import { mkdirSync, openSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { hasCode } from '../core/errors.js';
import { explainWriteError } from '../core/fs.js';
import { type Log, SILENT } from '../core/log.js';
import { AppendFile } from './append-file.js';
import { maskedCrc32c } from './crc32c.js';
import { type EventContent, encodeEvent } from './event-proto.js';
import type { MetricSink, Metrics } from './sink.js';

export interface TensorBoardOptions {
  /** First step that this process writes; 0 for a new run. */
  fromStep: number;
  /** How much a killed process may lose. */
  flushSeconds?: number;
  /** Seconds since 1970. */
  now?: () => number;
  host?: string;
  log?: Log;
}

export class TensorBoardWriter implements MetricSink {
  readonly #flushSeconds: number;
  readonly #now: () => number;
  readonly #pending: Uint8Array[] = [];
  readonly #file: AppendFile;
  #closed = false;
  #flushed: number;

  /**
   * Opens a new event file in `folder`, which is created.
   *
   * @throws UserError when the folder cannot be written
   */
  constructor(folder: string, options: TensorBoardOptions) {
    const { fromStep, flushSeconds = 10, now = () => Date.now() / 1000, host = hostname() } = options;
    const { log = SILENT } = options;
    this.#flushSeconds = flushSeconds;
    this.#now = now;
    this.#flushed = now();
    const seconds = String(Math.floor(this.#flushed)).padStart(10, '0');
    const [path, file] = openNew(folder, `events.out.tfevents.${seconds}.${host}`);
    this.#file = new AppendFile(path, file, log);
    this.#add(0, { kind: 'file-version' });
    if (fromStep > 0) this.#add(fromStep, { kind: 'session-start' });
    this.flush();
  }

  get path(): string {
    return this.#file.path;
  }

  write(step: number, metrics: Metrics): void {
    this.#add(step, { kind: 'scalars', values: Object.entries(metrics) });
    this.#flushWhenDue();
  }

  /** @param png the bytes of a PNG file */
  image(step: number, tag: string, png: Uint8Array): void {
    this.#add(step, { kind: 'image', tag, image: { png, ...pngSize(png) } });
    this.#flushWhenDue();
  }

  flush(): void {
    if (this.#closed || this.#pending.length === 0) return;
    this.#file.append(Buffer.concat(this.#pending));
    this.#pending.length = 0;
    this.#flushed = this.#now();
  }

  close(): void {
    this.flush();
    this.#closed = true;
    this.#file.close();
  }

  #add(step: number, content: EventContent): void {
    if (this.#closed) throw new Error(`${this.path} is closed`);
    this.#pending.push(frame(encodeEvent(this.#now(), step, content)));
  }

  #flushWhenDue(): void {
    if (this.#now() - this.#flushed >= this.#flushSeconds) this.flush();
  }
}

/** One record of TensorFlow's record format around `data`. */
export function frame(data: Uint8Array): Uint8Array {
  const out = new Uint8Array(8 + 4 + data.length + 4);
  const view = new DataView(out.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, maskedCrc32c(out.subarray(0, 8)), true);
  out.set(data, 12);
  view.setUint32(12 + data.length, maskedCrc32c(data), true);
  return out;
}

/** Creates the file; a name already taken (a run restarted within a second) gets `.1`, `.2`, ... at its end. */
function openNew(folder: string, name: string): [path: string, file: number] {
  const base = join(folder, name);
  try {
    mkdirSync(folder, { recursive: true });
    for (let attempt = 0; ; attempt++) {
      const path = attempt === 0 ? base : `${base}.${attempt}`;
      try {
        return [path, openSync(path, 'ax')];
      } catch (error) {
        if (!hasCode(error, 'EEXIST')) throw error;
      }
    }
  } catch (error) {
    throw explainWriteError(base, error);
  }
}

const PNG_SIGNATURE = '89504e470d0a1a0a';

/** Width and height stand in the first chunk of every PNG file, at bytes 16 and 20. */
function pngSize(png: Uint8Array): { width: number; height: number } {
  if (png.length < 24 || Buffer.from(png.subarray(0, 8)).toString('hex') !== PNG_SIGNATURE) {
    throw new RangeError('TensorBoard: a picture must be the bytes of a PNG file');
  }
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  return { width: view.getUint32(16), height: view.getUint32(20) };
}
