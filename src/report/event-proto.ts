/**
 * The messages that TensorBoard reads, as bytes: an `Event` with a file version, a summary or a session log inside.
 *
 * A file of its own because only the numbers of the fields tie it to TensorBoard (event.proto and summary.proto of
 * TensorFlow); how records are framed and when they are flushed is in tensorboard.ts. Scalars use `simple_value` and
 * pictures `image`, the forms that every version of TensorBoard reads.
 */

import {
  bytesField,
  doubleField,
  type Field,
  floatField,
  message,
  stringField,
  varintField,
} from '../core/protobuf.js';

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
  return message(
    doubleField(EVENT.wallTime, wallTime),
    varintField(EVENT.step, step),
    encodeContent(content),
  );
}

function encodeContent(content: EventContent): Field {
  switch (content.kind) {
    case 'file-version':
      return stringField(EVENT.fileVersion, 'brain.Event:2');
    case 'session-start':
      return bytesField(EVENT.sessionLog, varintField(SESSION_LOG.status, SESSION_START));
    case 'scalars': {
      const values = content.values.map(([tag, value]) =>
        message(stringField(VALUE.tag, tag), floatField(VALUE.simpleValue, value)),
      );
      return bytesField(EVENT.summary, message(...values.map((value) => bytesField(SUMMARY.value, value))));
    }
    case 'image': {
      const { png, width, height } = content.image;
      const image = message(
        varintField(IMAGE.height, height),
        varintField(IMAGE.width, width),
        varintField(IMAGE.colorspace, RGB),
        bytesField(IMAGE.encoded, png),
      );
      const value = message(stringField(VALUE.tag, content.tag), bytesField(VALUE.image, image));
      return bytesField(EVENT.summary, bytesField(SUMMARY.value, value));
    }
  }
}
