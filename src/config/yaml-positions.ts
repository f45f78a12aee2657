/**
 * Where the keys of a YAML text stand: the line of each, in block and in flow style, through aliases and merge keys.
 *
 * Built from js-yaml's parse events, which carry offsets into the text; js-yaml's values do not. Used for messages only.
 */

import { EVENT_ID, type Event, getScalarValue, type ScalarEvent } from 'js-yaml';

export interface Spot {
  /** Counted from 1. */
  readonly line: number;
  /** Keys of a mapping. */
  readonly entries: Map<string, { line: number; value: Spot }>;
  /** Items of a sequence. */
  readonly items: Spot[];
}

export interface Duplicate {
  /** Path, with slashes. */
  key: string;
  line: number;
  firstLine: number;
}

export interface Positions {
  root: Spot;
  duplicates: Duplicate[];
}

/** @param events of a text with one document, as `parseEvents` returns them */
export function readPositions(source: string, events: readonly Event[]): Positions {
  const reader = new Reader(source, events);
  return { root: reader.document(), duplicates: reader.duplicates };
}

/** The line of a key; of the nearest enclosing one that is known when the key itself is not. */
export function lineOf(root: Spot, path: readonly string[]): number {
  let spot = root;
  let line = root.line;
  for (const key of path) {
    const found = findKey(spot, key, new Set());
    if (found === undefined) break;
    ({ line, value: spot } = found);
  }
  return line;
}

/** Own keys come before merged ones, and among merged mappings the first counts. */
function findKey(spot: Spot, key: string, seen: Set<Spot>): { line: number; value: Spot } | undefined {
  if (seen.has(spot)) return undefined;
  seen.add(spot);
  const own = spot.entries.get(key);
  if (own !== undefined) return own;
  const merged = spot.entries.get('<<')?.value;
  if (merged === undefined) return undefined;
  for (const source of [merged, ...merged.items]) {
    const found = findKey(source, key, seen);
    if (found !== undefined) return found;
  }
  return undefined;
}

class Reader {
  readonly duplicates: Duplicate[] = [];
  readonly #source: string;
  readonly #events: readonly Event[];
  readonly #anchors = new Map<string, Spot>();
  readonly #path: string[] = [];
  #next = 1; // after the event that opens the document
  #offset = 0;
  #line = 1;

  constructor(source: string, events: readonly Event[]) {
    this.#source = source;
    this.#events = events;
  }

  document(): Spot {
    return this.#events.length > 2 ? this.#node() : { line: 1, entries: new Map(), items: [] };
  }

  #node(): Spot {
    const event = this.#events[this.#next++];
    const spot: Spot = { line: this.#lineAt(startOf(event)), entries: new Map(), items: [] };
    if ('anchorStart' in event && event.anchorStart >= 0) {
      const name = this.#source.slice(event.anchorStart, event.anchorEnd);
      if (event.type === EVENT_ID.ALIAS) return this.#anchors.get(name) ?? spot;
      this.#anchors.set(name, spot);
    }
    if (event.type === EVENT_ID.SEQUENCE) {
      while (!this.#closes()) spot.items.push(this.#node());
    } else if (event.type === EVENT_ID.MAPPING) {
      while (!this.#closes()) this.#entry(spot);
    }
    return spot;
  }

  #entry(mapping: Spot): void {
    const event = this.#events[this.#next];
    const { line } = this.#node();
    // js-yaml refuses a key that is no scalar when it builds the value.
    const key = event.type === EVENT_ID.SCALAR ? scalarText(this.#source, event) : '?';
    this.#path.push(key);
    const first = mapping.entries.get(key);
    if (first !== undefined) {
      this.duplicates.push({ key: this.#path.join('/'), line, firstLine: first.line });
    }
    mapping.entries.set(key, { line, value: this.#node() });
    this.#path.pop();
  }

  /** Consumes the end of a collection, if it comes next. */
  #closes(): boolean {
    if (this.#events[this.#next].type !== EVENT_ID.POP) return false;
    this.#next++;
    return true;
  }

  /** Events come in the order of the text, so lines are counted once. An unknown offset is where we are. */
  #lineAt(offset: number): number {
    for (; this.#offset < offset; this.#offset++) {
      if (this.#source[this.#offset] === '\n') this.#line++;
    }
    return this.#line;
  }
}

function startOf(event: Event): number {
  if (event.type === EVENT_ID.SCALAR) return event.valueStart;
  if (event.type === EVENT_ID.ALIAS) return event.anchorStart;
  return 'start' in event ? event.start : -1;
}

function scalarText(source: string, event: ScalarEvent): string {
  return event.valueStart < 0 ? 'null' : getScalarValue(source, event);
}
