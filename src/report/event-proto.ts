/**
 * The messages that TensorBoard reads, as bytes: an `Event` with a file version, a summary or a session log inside.
 *
 * A file of its own because only the numbers of the fields tie it to TensorBoard (event.proto and summary.proto of
 * TensorFlow); how records are framed and when they are flushed is in tensorboard.ts. Scalars use `simple_value` and
 * pictures `image`, the forms that every version of TensorBoard reads.
 */

const TEXT = new TextEncoder();

const EVENT = { wallTime: 1, step: 2, fileVersion: 3, summary: 5, sessionLog: 7 } as const;
const SUMMARY = { value: 1 } as const;
const VALUE = { tag: 1, simpleValue: 2, image: 4 } as const;
const IMAGE = { height: 1, width: 2, colorspace: 3, encoded: 4 } as const;
const SESSION_LOG = { status: 1 } as const;

const SESSION_START = 1;
const RGB = 3;

/** A picture as it is stored: the bytes of a PNG file. */
export interface EventImage {
  png: Uint8Array;
  width: number;
  height: number;
}

/** What an event carries: exactly one of these. */
export type EventContent =
  | { kind: 'file-version' }
  /** Training (re)starts at the event's step: TensorBoard forgets what it has of this step and later ones. */
  | { kind: 'session-start' }
  | { kind: 'scalars'; values: readonly (readonly [tag: string, value: number])[] }
  | { kind: 'image'; tag: string; image: EventImage };

/**
 * @param wallTime seconds since 1970
 * @param step global step, a natural number
 * @returns the bytes of one `Event`; scalars are rounded to 32 bits
 */
export function encodeEvent(wallTime: number, step: number, content: EventContent): Uint8Array {
  if (!Number.isSafeInteger(step) || step < 0) {
    throw new RangeError(`TensorBoard: step must be a natural number, not ${step}`);
  }
  return join(double(EVENT.wallTime, wallTime), varint(EVENT.step, step), encodeContent(content));
}

function encodeContent(content: EventContent): Uint8Array {
  switch (content.kind) {
    case 'file-version':
      return bytes(EVENT.fileVersion, TEXT.encode('brain.Event:2'));
    case 'session-start':
      return bytes(EVENT.sessionLog, varint(SESSION_LOG.status, SESSION_START));
    case 'scalars':
      return bytes(
        EVENT.summary,
        join(
          ...content.values.map(([tag, value]) =>
            bytes(SUMMARY.value, join(bytes(VALUE.tag, TEXT.encode(tag)), float(VALUE.simpleValue, value))),
          ),
        ),
      );
    case 'image': {
      const { png, width, height } = content.image;
      const image = join(
        varint(IMAGE.height, height),
        varint(IMAGE.width, width),
        varint(IMAGE.colorspace, RGB),
        bytes(IMAGE.encoded, png),
      );
      const value = join(bytes(VALUE.tag, TEXT.encode(content.tag)), bytes(VALUE.image, image));
      return bytes(EVENT.summary, bytes(SUMMARY.value, value));
    }
  }
}

// The wire format: a key (number of the field times 8 plus the kind of its value), then the value.

function varint(field: number, value: number): Uint8Array {
  return Uint8Array.from([...digits(field * 8), ...digits(value)]);
}

function double(field: number, value: number): Uint8Array {
  const out = new Uint8Array(9);
  out[0] = field * 8 + 1;
  new DataView(out.buffer).setFloat64(1, value, true);
  return out;
}

function bytes(field: number, content: Uint8Array): Uint8Array {
  return join(Uint8Array.from([...digits(field * 8 + 2), ...digits(content.length)]), content);
}

function float(field: number, value: number): Uint8Array {
  const out = new Uint8Array(5);
  out[0] = field * 8 + 5;
  new DataView(out.buffer).setFloat32(1, value, true);
  return out;
}

/** Base 128, lowest digit first, high bit set on all but the last. By division, as shifts would end at 32 bits. */
function digits(value: number): number[] {
  const out: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) out.push((rest % 128) | 128);
  out.push(rest);
  return out;
}

function join(...parts: Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let position = 0;
  for (const part of parts) {
    out.set(part, position);
    position += part.length;
  }
  return out;
}
