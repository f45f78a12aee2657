/**
 * Just enough of the protocol-buffer wire format to write a session's configuration and to read operation
 * definitions and step statistics. The messages are declared in tensorflow/core/{protobuf,framework}.
 */

/** One field of a message that is being written. */
export type Field = Uint8Array;

export function varintField(field: number, value: number | boolean): Field {
  return Uint8Array.from([...varint(field * 8), ...varint(Number(value))]);
}

export function bytesField(field: number, content: Uint8Array): Field {
  const head = [...varint(field * 8 + 2), ...varint(content.length)];
  const out = new Uint8Array(head.length + content.length);
  out.set(head);
  out.set(content, head.length);
  return out;
}

export function stringField(field: number, text: string): Field {
  return bytesField(field, new TextEncoder().encode(text));
}

export function message(...fields: Field[]): Uint8Array {
  return Uint8Array.from(fields.flatMap((field) => [...field]));
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 127) {
    bytes.push((rest % 128) | 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return bytes;
}

/** One field of a message that is being read: `bytes` for strings and nested messages, `value` for integers. */
export interface ParsedField {
  number: number;
  value: number;
  bytes: Uint8Array;
}

const NOTHING = new Uint8Array(0);

/** Yields the fields of a message in order. Fixed-width fields come with their raw bytes. */
export function* readFields(data: Uint8Array): Generator<ParsedField> {
  let position = 0;
  const next = (): number => {
    let result = 0;
    let scale = 1;
    for (;;) {
      const byte = data[position++];
      result += (byte & 127) * scale;
      if (byte < 128) return result;
      scale *= 128;
    }
  };
  while (position < data.length) {
    const tag = next();
    const number = Math.floor(tag / 8);
    const kind = tag % 8;
    if (kind === 0) {
      yield { number, value: next(), bytes: NOTHING };
      continue;
    }
    const length = kind === 2 ? next() : kind === 1 ? 8 : 4;
    yield { number, value: 0, bytes: data.subarray(position, position + length) };
    position += length;
  }
}

export function parsedText(field: ParsedField): string {
  return new TextDecoder().decode(field.bytes);
}
