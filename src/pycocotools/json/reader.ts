/**
 * A pull parser over a file of any size, for JSON that is one large object or array of small elements.
 *
 * The file passes through a window. Whatever is read lies in the window whole: when an element runs into its end, the
 * window moves on and the element is read again from its first byte (`whole`), so nothing below has to stop in the
 * middle of a value. A zero byte behind the window ends every loop over it, as no JSON has one.
 *
 * The grammar is JSON's, to the letter: NaN, trailing commas and comments are errors. Errors name the file and the byte.
 */

import { UserError } from '../../core/errors.js';
import { decimal, readDecimal } from './decimal.js';
import type { KeyTable } from './keys.js';
import type { JsonSource } from './source.js';

const WINDOW = 1 << 20;
/** Typed arrays and strings end not far above. */
const LARGEST_ELEMENT = 2 ** 29;
const DEEPEST = 1000;

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** What `firstKey` and `nextKey` return besides positions in the table. */
export const UNKNOWN = -1;
export const END = -2;

/** Thrown when the window ends within an element; caught by `whole`. */
const MORE = new Error('the window ends here');

export class JsonReader {
  /** The window; what was read of the file so far ends at `#end`. */
  bytes: Uint8Array;
  at = 0;
  /** Of the last string read: its bytes in the window, between the quotes. */
  stringStart = 0;
  stringEnd = 0;
  /** Whether it has escapes, and whether these are backslashes only. */
  escaped = false;
  backslashesOnly = true;
  #end = 0;
  /** Where in the file the window begins. */
  #before: number;
  #exhausted = false;
  readonly #source: JsonSource;

  /** @param window bytes held at first; a larger value makes it grow */
  constructor(source: JsonSource, window = WINDOW) {
    this.bytes = new Uint8Array(window);
    this.#source = source;
    this.#before = source.start;
    this.#refill();
    // A byte order mark, as some editors on Windows write.
    if (source.start === 0 && this.bytes[0] === 0xef && this.bytes[1] === 0xbb && this.bytes[2] === 0xbf)
      this.at = 3;
  }

  get where(): string {
    return this.#source.where;
  }

  /** Byte of the file. */
  get offset(): number {
    return this.#before + this.at;
  }

  /** Runs `read`, again from its first byte if it runs into the end of the window. It must be able to start over. */
  whole<T>(read: () => T): T {
    for (;;) {
      const start = this.at;
      try {
        return read();
      } catch (error) {
        if (error !== MORE) throw error;
        this.at = start;
        this.#refill();
      }
    }
  }

  /** Reads an array, each element whole. */
  elements(read: (index: number) => void): void {
    this.whole(() => this.#expect(OPEN_ARRAY, 'an array'));
    if (!this.whole(() => this.#take(CLOSE_ARRAY))) this.elementsUntil(read, Number.POSITIVE_INFINITY);
  }

  /**
   * Reads elements of an array from the middle of it.
   *
   * @param stop the array is left at the first element that begins at this byte of the file or behind it
   * @returns whether there is such an element, and the reader stands at it; false at the end of the array
   */
  elementsUntil(read: (index: number) => void, stop: number): boolean {
    for (let index = 0; ; index++) {
      for (;;) {
        const start = this.at;
        try {
          read(index);
          break;
        } catch (error) {
          if (error !== MORE) throw error;
          this.at = start;
          this.#refill();
        }
      }
      if (!this.whole(() => this.#another(CLOSE_ARRAY, 'a comma or ]'))) return false;
      if (this.offset + 1 < stop) continue;
      this.whole(() => this.peek());
      if (this.offset >= stop) return true;
    }
  }

  /** Reads an object, calling `member` for each key; the value is `member`'s to read, whole or piece by piece. */
  members(member: (key: string) => void): void {
    this.whole(() => this.#expect(OPEN_OBJECT, 'an object'));
    if (this.whole(() => this.#take(CLOSE_OBJECT))) return;
    do {
      member(
        this.whole(() => {
          this.#key();
          const key = this.text();
          this.#expect(COLON, 'a colon');
          return key;
        }),
      );
    } while (this.whole(() => this.#another(CLOSE_OBJECT, 'a comma or }')));
  }

  /** Nothing but space may follow. */
  finish(): void {
    this.whole(() => {
      this.space();
      if (this.at < this.#end || !this.#exhausted) throw this.unexpected('the end of the file');
    });
  }

  /** The next byte that is no space. */
  peek(): number {
    this.space();
    if (this.at === this.#end) throw this.unexpected('a value');
    return this.bytes[this.at];
  }

  /** The first key of an object: its position in the table, UNKNOWN, or END for an empty object. */
  firstKey(table: KeyTable<string>): number {
    this.#expect(OPEN_OBJECT, 'an object');
    return this.#take(CLOSE_OBJECT) ? END : this.#member(table);
  }

  nextKey(table: KeyTable<string>): number {
    return this.#another(CLOSE_OBJECT, 'a comma or }') ? this.#member(table) : END;
  }

  /** Enters an array. @returns whether it has elements */
  firstElement(): boolean {
    this.#expect(OPEN_ARRAY, 'an array');
    return !this.#take(CLOSE_ARRAY);
  }

  /** Whether another element follows; if not, the array is left. */
  nextElement(): boolean {
    return this.#another(CLOSE_ARRAY, 'a comma or ]');
  }

  number(): number {
    this.space();
    const fits = readDecimal(this.bytes, this.at);
    this.at = fits ? decimal.end : this.at;
    // The end of the window may have cut the number short.
    if (!fits || decimal.end >= this.#end) {
      if (decimal.end >= this.#end && !this.#exhausted) throw MORE;
      if (!fits) throw this.unexpected('a number');
    }
    return decimal.value;
  }

  /**
   * A number, or a text, that names something.
   *
   * @returns the number when it is a whole one that a double holds, otherwise the value as it stands in the file
   */
  id(): number | string {
    if (this.peek() === QUOTE) {
      this.string();
      return JSON.stringify(this.text());
    }
    const start = this.at;
    const value = this.number();
    if (Number.isSafeInteger(value)) return value;
    return Buffer.from(this.bytes.subarray(start, this.at)).toString('latin1');
  }

  /** Reads a string into `stringStart`, `stringEnd` and `escaped`. */
  string(): void {
    this.#expect(QUOTE, 'a string');
    const { bytes } = this;
    let { at } = this;
    this.stringStart = at;
    this.escaped = false;
    this.backslashesOnly = true;
    for (;;) {
      const byte = bytes[at];
      if (byte === QUOTE) break;
      if (byte === BACKSLASH) {
        this.at = at;
        at = this.#escape(at);
      } else if (byte < 0x20) {
        this.at = at;
        throw this.unexpected('the rest of a string');
      } else at++;
    }
    this.stringEnd = at;
    this.at = at + 1;
  }

  /** The last string read, unescaped. */
  text(): string {
    const { bytes, stringStart, stringEnd } = this;
    const raw = Buffer.from(bytes.buffer, bytes.byteOffset + stringStart, stringEnd - stringStart);
    return this.escaped ? JSON.parse(`"${raw.toString()}"`) : raw.toString();
  }

  /** Reads any value and checks its syntax. */
  skip(depth = 0): void {
    const byte = this.peek();
    if (byte === QUOTE) this.string();
    else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
      if (depth === DEEPEST) throw this.error(`values nested more than ${DEEPEST} deep`);
      this.at++;
      const close = byte === OPEN_OBJECT ? CLOSE_OBJECT : CLOSE_ARRAY;
      if (this.#take(close)) return;
      do {
        if (byte === OPEN_OBJECT) {
          this.#key();
          this.#expect(COLON, 'a colon');
        }
        this.skip(depth + 1);
      } while (this.#another(close, byte === OPEN_OBJECT ? 'a comma or }' : 'a comma or ]'));
    } else if (byte === 0x74) this.#literal('true');
    else if (byte === 0x66) this.#literal('false');
    else if (byte === 0x6e) this.#literal('null');
    else this.number();
  }

  /** Like `skip`, piece by piece: for values that may be larger than a window. */
  skipLarge(): void {
    const byte = this.whole(() => this.peek());
    if (byte === OPEN_ARRAY) this.elements(() => this.skip());
    else this.whole(() => this.skip());
  }

  /** Any value. Its end is found by counting brackets; its grammar is `JSON.parse`'s business, which is fast. */
  value(): unknown {
    this.peek();
    const start = this.at;
    this.at = this.#endOfValue();
    const text = Buffer.from(this.bytes.buffer, this.bytes.byteOffset + start, this.at - start).toString();
    try {
      return JSON.parse(text);
    } catch {
      // What is wrong where: the slow reading says it.
      this.at = start;
      this.skip();
      throw this.error('no value of JSON ends here');
    }
  }

  /** The byte behind the value at which the reader stands, if it is one. */
  #endOfValue(): number {
    const { bytes } = this;
    const end = this.#end;
    let depth = 0;
    let { at } = this;
    for (;;) {
      const byte = bytes[at];
      if (byte === QUOTE) {
        // An escape may step over the zero behind the window, so here the end is looked at.
        for (at++; at < end && bytes[at] !== QUOTE; at++) if (bytes[at] === BACKSLASH) at++;
        if (at >= end) return this.#brokenValue(at);
        at++;
        if (depth === 0) return at;
      } else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
        at++;
        if (++depth > DEEPEST) throw this.error(`values nested more than ${DEEPEST} deep`);
      } else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) {
        at++;
        if (--depth <= 0) return at;
      } else if (byte === 0) return this.#brokenValue(at);
      else if (depth > 0) at++;
      else {
        // A number or a literal, up to whatever belongs to neither.
        while (
          bytes[at] > 0x20 &&
          bytes[at] !== COMMA &&
          bytes[at] !== CLOSE_ARRAY &&
          bytes[at] !== CLOSE_OBJECT
        )
          at++;
        return at < end || this.#exhausted ? at : this.#brokenValue(at);
      }
    }
  }

  /** The window ends within the value, or the value is none. */
  #brokenValue(at: number): number {
    // A bracket that is never closed must not draw the whole file into memory: large values are read with care.
    if (at < this.#end || this.#exhausted || this.bytes.length > 4 * WINDOW) this.skip();
    throw at < this.#end ? this.error('no value of JSON ends here') : MORE;
  }

  /** An error at the current byte. */
  error(problem: string, remedy?: string): UserError {
    const where = `${this.where}, byte ${this.offset}`;
    return new UserError(problem, { where, ...(remedy && { remedy }) });
  }

  /** Skips space. */
  space(): void {
    const { bytes } = this;
    let { at } = this;
    for (let byte = bytes[at]; byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09; )
      byte = bytes[++at];
    this.at = at;
  }

  #member(table: KeyTable<string>): number {
    this.#key();
    const { bytes, stringStart, stringEnd } = this;
    const found = this.escaped
      ? (table.names as readonly string[]).indexOf(this.text())
      : table.find(bytes, stringStart, stringEnd);
    this.#expect(COLON, 'a colon');
    return found;
  }

  #key(): void {
    if (this.peek() !== QUOTE) throw this.unexpected('a key in quotes');
    this.string();
  }

  #escape(at: number): number {
    this.escaped = true;
    const kind = this.bytes[at + 1];
    if (kind === BACKSLASH) return at + 2;
    this.backslashesOnly = false;
    let length = 2;
    if (kind === 0x75) {
      for (; length < 6 && isHex(this.bytes[at + length]); length++);
      if (length === 6) return at + 6;
    } else if ('"\\/bfnrt'.includes(String.fromCharCode(kind))) return at + 2;
    else length = 1;
    this.at = at + length;
    throw this.unexpected('an escape sequence');
  }

  #literal(word: string): void {
    for (let i = 0; i < word.length; i++, this.at++) {
      if (this.bytes[this.at] !== word.charCodeAt(i)) throw this.unexpected(`"${word}"`);
    }
  }

  #expect(byte: number, what: string): void {
    this.space();
    if (this.bytes[this.at] !== byte) throw this.unexpected(what);
    this.at++;
  }

  #take(byte: number): boolean {
    if (this.peek() !== byte) return false;
    this.at++;
    return true;
  }

  #another(close: number, expected: string): boolean {
    this.space();
    const byte = this.bytes[this.at];
    if (byte !== COMMA && byte !== close) throw this.unexpected(expected);
    this.at++;
    return byte === COMMA;
  }

  /** What to throw where something else stands, or the window ends. */
  unexpected(expected: string, remedy?: string): Error {
    if (this.at >= this.#end && !this.#exhausted) return MORE;
    const found = Buffer.from(this.bytes.subarray(this.at, Math.min(this.at + 20, this.#end))).toString();
    return this.error(
      this.at >= this.#end
        ? `the file ends where ${expected} was expected: is it complete?`
        : `expected ${expected}, found ${JSON.stringify(found)}`,
      remedy,
    );
  }

  /** Moves the window so that it begins here, makes it larger when it already does, and fills it. */
  #refill(): void {
    const kept = this.#end - this.at;
    let into = this.bytes;
    // The last byte stays free for the zero that ends the window.
    if (this.at === 0 && this.#end === into.length - 1) {
      if (into.length >= LARGEST_ELEMENT) throw this.error('one value of more than 512 MB');
      into = new Uint8Array(2 * into.length);
    }
    into.set(this.bytes.subarray(this.at, this.#end));
    this.#before += this.at;
    this.bytes = into;
    this.at = 0;
    this.#end = kept;
    const room = into.subarray(0, into.length - 1);
    while (this.#end < room.length) {
      const count = this.#source.read(room, this.#end);
      if (count === 0) {
        this.#exhausted = true;
        break;
      }
      this.#end += count;
    }
    into[this.#end] = 0;
  }
}

function isHex(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x46) || (byte >= 0x61 && byte <= 0x66);
}
