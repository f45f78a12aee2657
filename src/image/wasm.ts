/**
 * Assembles WebAssembly modules of a few inner loops over bytes: JavaScript has no SIMD. The opcodes are those of the
 * WebAssembly 2.0 core specification, section 5.4.
 */

export type Code = readonly (number | Code)[];

// Instructions. Locals are numbers, `at` is the constant offset of a load or store.
export const get = (local: number): Code => [0x20, local];
export const set = (local: number): Code => [0x21, local];
export const tee = (local: number): Code => [0x22, local];
/** 0..63: one byte of signed LEB128. */
export const i32 = (value: number): Code => [0x41, value];
export const add: Code = [0x6a];
export const subtract: Code = [0x6b];
export const less: Code = [0x49];
export const select: Code = [0x1b];
export const loadI32At = (at: number): Code => [0x28, 0, at];
export const loadI32 = loadI32At(0);
const simd = (code: number, ...rest: number[]): Code => [0xfd, ...leb(code), ...rest];
export const load128At = (at: number): Code => simd(0x00, 0, at);
export const load128 = load128At(0);
/** Four bytes, four times: an i32, or two i16. */
export const loadSplat = simd(0x09, 0, 0);
/** Four bytes, and zeros. */
export const load32 = simd(0x5c, 0, 0);
export const store128 = simd(0x0b, 0, 0);
/** Lane 0 of four. */
export const store32 = simd(0x5a, 0, 0, 0);
/** Four times. */
export const constant = (value: number): Code =>
  simd(0x0c, ...new Uint8Array(Int32Array.of(value, value, value, value).buffer));
const shuffle = (...lanes: number[]): Code => simd(0x0d, ...lanes);
export const INTERLEAVE_LOW = shuffle(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
export const INTERLEAVE_HIGH = shuffle(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
/** Pairs of i16, each multiplied and added. */
export const dot = simd(0xba);
export const addLanes = simd(0xae);
export const multiplyLanes = simd(0xb5);
export const shiftRight = simd(0xac);
export const narrowToI16 = simd(0x85);
export const narrowToU8 = simd(0x66);
// Unsigned: the lower or upper half of the bytes as i16, of the i16 as i32.
export const widenLow = simd(0x89);
export const widenHigh = simd(0x8a);
export const widenLowToI32 = simd(0xa9);
export const widenHighToI32 = simd(0xaa);

export const advance = (local: number, by: Code): Code => [get(local), by, add, set(local)];
/** Runs `body` with `counter` at 0, `step`, ... below `limit`; at least once. */
export const count = (counter: number, step: number, limit: number, body: Code): Code => [
  [i32(0), set(counter), 0x03, 0x40, body],
  [get(counter), i32(step), add, tee(counter), get(limit), less, 0x0d, 0, 0x0b],
];
/** Runs `body` until the pointer reaches `end`; at least once. */
export const until = (pointer: number, end: number, body: Code): Code => [
  [0x03, 0x40, body],
  [get(pointer), get(end), less, 0x0d, 0, 0x0b],
];

/** Takes and has i32, and vectors behind them, as locals; returns nothing. */
export interface WasmFunction {
  readonly name: string;
  readonly parameters: number;
  readonly integers: number;
  readonly vectors: number;
  readonly body: Code;
}

export type Loop = (...values: number[]) => void;

export interface WasmMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

// Node has the global; the type declarations in use do not.
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object) => { exports: unknown };
};

/** Exports the functions by their names, and `memory`. */
export function instantiate<Exports>(functions: readonly WasmFunction[]): Exports {
  return new WebAssembly.Instance(new WebAssembly.Module(moduleOf(functions))).exports as Exports;
}

/** Makes room for so many bytes. */
export function reserve(memory: WasmMemory, bytes: number): void {
  const missing = bytes - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / 0x10000));
}

/** Places areas one after the other, each at a multiple of 16 bytes. */
export function layout(first: number, ...sizes: number[]): { offsets: number[]; end: number } {
  let end = first;
  const offsets = sizes.map((size) => {
    const offset = end;
    end = (end + size + 15) & ~15;
    return offset;
  });
  return { offsets, end };
}

function moduleOf(functions: readonly WasmFunction[]): Uint8Array {
  const name = (text: string): number[] => [text.length, ...Buffer.from(text)];
  const section = (id: number, items: readonly number[][]): number[] => {
    const bytes = [...leb(items.length), ...items.flat()];
    return [id, ...leb(bytes.length), ...bytes];
  };
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(
      1,
      functions.map(({ parameters }) => [0x60, parameters, ...Array<number>(parameters).fill(0x7f), 0]),
    ),
    ...section(
      3,
      functions.map((_, i) => [i]),
    ),
    ...section(5, [[0, 1]]), // one memory, one page at first
    ...section(7, [[...name('memory'), 2, 0], ...functions.map((each, i) => [...name(each.name), 0, i])]),
    ...section(
      10,
      functions.map(({ integers, vectors, body }) => {
        const bytes = [2, integers, 0x7f, vectors, 0x7b, ...flatten(body), 0x0b];
        return [...leb(bytes.length), ...bytes];
      }),
    ),
  ]);
}

function leb(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return [...bytes, rest];
    bytes.push((rest & 0x7f) | 0x80);
  }
}

function flatten(code: Code): number[] {
  return code.flatMap((item) => (typeof item === 'number' ? [item] : flatten(item)));
}

/** Numbers of locals. */
export function range(first: number, length: number): number[] {
  return Array.from({ length }, (_, i) => first + i);
}
