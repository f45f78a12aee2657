/** Keys of JSON objects, recognised in the bytes of a file without making strings. */

export class KeyTable<Key extends string> {
  readonly names: readonly Key[];
  /** Positions in `names`, by length of the key. */
  readonly #byLength: number[][] = [];
  readonly #bytes: Uint8Array[];

  /** @param names ASCII */
  constructor(names: readonly Key[]) {
    this.names = names;
    this.#bytes = names.map((name) => Buffer.from(name, 'latin1'));
    names.forEach((name, i) => {
      this.#byLength[name.length] ??= [];
      this.#byLength[name.length].push(i);
    });
  }

  /** The position in `names` of the key that stands in [start, end), or -1. */
  find(bytes: Uint8Array, start: number, end: number): number {
    const candidates = this.#byLength[end - start];
    if (candidates === undefined) return -1;
    search: for (const candidate of candidates) {
      const name = this.#bytes[candidate];
      for (let i = 0; i < name.length; i++) if (bytes[start + i] !== name[i]) continue search;
      return candidate;
    }
    return -1;
  }
}
