/**
 * Where a pickle's bytes come from: memory, or a file of which only what is needed is read.
 *
 * A `.pkl` holds its arrays within the pickle, so the pickle of a large model is as large as the model. Long payloads are
 * therefore not read with the rest: the machine gets a `StoredBytes`, which knows where they are.
 */

import type { ByteSource, ReadBytesNow } from '../byte-source.js';
import { MalformedPickle, PyObject, PyOpaque } from './values.js';

export interface PickleInput {
  readonly size: number;
  readonly read: ReadBytesNow;
  /** Payloads from `LONG_PAYLOAD` bytes on become `StoredBytes` of this file; without it, all are read. */
  readonly source?: ByteSource;
}

export const LONG_PAYLOAD = 1 << 16;

/** A pickle that is in memory. */
export function pickleInMemory(bytes: Uint8Array): PickleInput {
  return {
    size: bytes.length,
    read: (position, length) => bytes.subarray(position, position + length),
  };
}

/** `bytes`, or a text of which each character is a byte, as protocol 2 writes bytes. */
export type StoredKind = 'bytes' | 'text';

/** A long payload that stayed in the file. */
export class StoredBytes extends PyObject {
  readonly source: ByteSource;
  readonly position: number;
  /** Bytes in the file. */
  readonly length: number;
  readonly kind: StoredKind;

  constructor(source: ByteSource, position: number, length: number, kind: StoredKind) {
    super();
    this.source = source;
    this.position = position;
    this.length = length;
    this.kind = kind;
  }

  /** @throws MalformedPickle when a text holds more than single bytes */
  async load(): Promise<Uint8Array<ArrayBuffer>> {
    const found = await this.source.use((read) => read(this.position, this.length));
    return this.kind === 'bytes' ? found : latin1OfUtf8(found);
  }

  reveal(): PyOpaque {
    return new PyOpaque(`${this.kind} of ${this.length} bytes`);
  }
}

/** UTF-8 of the characters 0 to 255, decoded in place: the result is never longer. */
function latin1OfUtf8(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  let length = 0;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (byte < 0x80) bytes[length++] = byte;
    else {
      const next = bytes[++i];
      if ((byte !== 0xc2 && byte !== 0xc3) || (next & 0xc0) !== 0x80) {
        throw new MalformedPickle('encodes a text that is not latin1');
      }
      bytes[length++] = ((byte & 3) << 6) | (next & 0x3f);
    }
  }
  return bytes.subarray(0, length);
}
