/** The quoted and escaped texts of pickle protocol 0. */

import { MalformedPickle } from './values.js';

const ESCAPES: Record<string, string> = {
  n: '\n',
  r: '\r',
  t: '\t',
  a: '\x07',
  b: '\b',
  f: '\f',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
};

/** A Python 2 string literal: quotes and backslash escapes. */
export function unquote(literal: string): string {
  const quoted = /^(['"])(.*)\1$/s.exec(literal.trim());
  if (quoted === null) throw new MalformedPickle('holds a string without quotes');
  return quoted[2].replace(
    /\\(?:x([0-9a-fA-F]{2})|([0-7]{1,3})|(.))/gs,
    (whole, hex?: string, octal?: string, other?: string) => {
      if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
      if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8) & 0xff);
      return ESCAPES[other ?? ''] ?? whole;
    },
  );
}

/** Python's raw-unicode-escape: only \uXXXX and \UXXXXXXXX mean something. */
export function unescapeUnicode(text: string): string {
  return text.replace(/\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})/g, (_, short?: string, long?: string) => {
    const code = Number.parseInt(short ?? long ?? '', 16);
    if (code > 0x10ffff) throw new MalformedPickle('holds a character beyond Unicode');
    return String.fromCodePoint(code);
  });
}
