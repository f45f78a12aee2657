/**
 * Where labels stand in a picture with many boxes: above their box, inside it or below, wherever they cover no other label
 * and hide no small object. One that fits nowhere is left out: a picture of a thousand nuclei would be nothing but labels.
 */

import { area, type Rectangle } from '../core/boxes.js';

export interface LabelSize {
  width: number;
  height: number;
}

/** Labels are looked for in cells of this many label heights, so that a thousand of them need no comparison of all. */
const CELL_HEIGHTS = 8;

/** An object of more than this many label areas is still seen when a label lies on it. */
const LARGE = 6;
/** An object of fewer label heights is hidden by a label within it. */
const SMALL = 3;

export class LabelPlaces {
  readonly #picture: LabelSize;
  readonly #cell: number;
  readonly #taken = new Map<string, Rectangle[]>();
  readonly #objects = new Map<string, Rectangle[]>();

  /** @param rowHeight of a label, pixels  @param objects that labels should not hide */
  constructor(picture: LabelSize, rowHeight: number, objects: readonly Rectangle[]) {
    this.#picture = picture;
    this.#cell = rowHeight * CELL_HEIGHTS;
    for (const object of objects) {
      if (area(object) < LARGE * CELL_HEIGHTS * rowHeight ** 2) this.#add(this.#objects, object);
    }
  }

  /**
   * The place of a label, taken from now on; undefined when there is none. Earlier labels have the first choice.
   *
   * @param hiding whether it may hide objects
   */
  place(box: Rectangle, size: LabelSize, hiding: boolean): Rectangle | undefined {
    const label = this.#corners(box, size).find(
      (place) => !this.#meets(this.#taken, place) && (hiding || !this.#meets(this.#objects, place, box)),
    );
    if (label !== undefined) this.#add(this.#taken, label);
    return label;
  }

  /** Places at a box, best first: moved sideways into the picture, without those above or below it. */
  #corners({ left, top, right, bottom }: Rectangle, { width, height }: LabelSize): Rectangle[] {
    const within: [number, number][] = [
      [left, top],
      [left, bottom - height],
    ];
    const outside: [number, number][] = [
      [left, bottom],
      [right - width, top - height],
      [right - width, bottom],
    ];
    // A small object would be hidden by its own label.
    const isSmall = bottom - top < SMALL * height;
    const others = isSmall ? [...outside, ...within] : [...within, ...outside];
    return [[left, top - height], ...others]
      .filter(([, y]) => y >= 0 && y + height <= this.#picture.height)
      .map(([x, y]) => {
        const inside = Math.max(0, Math.min(x, this.#picture.width - width));
        return { left: inside, top: y, right: inside + width, bottom: y + height };
      });
  }

  /** Whether the place meets one of the rectangles, other than `own`. */
  #meets(rectangles: ReadonlyMap<string, Rectangle[]>, place: Rectangle, own?: Rectangle): boolean {
    const meets = (other: Rectangle): boolean =>
      place.left < other.right &&
      other.left < place.right &&
      place.top < other.bottom &&
      other.top < place.bottom;
    return this.#cells(place).some((cell) =>
      (rectangles.get(cell) ?? []).some((other) => other !== own && meets(other)),
    );
  }

  #add(rectangles: Map<string, Rectangle[]>, rectangle: Rectangle): void {
    for (const cell of this.#cells(rectangle)) {
      const list = rectangles.get(cell);
      if (list === undefined) rectangles.set(cell, [rectangle]);
      else list.push(rectangle);
    }
  }

  #cells({ left, top, right, bottom }: Rectangle): string[] {
    const cells: string[] = [];
    for (let y = Math.floor(top / this.#cell); y * this.#cell < bottom; y++) {
      for (let x = Math.floor(left / this.#cell); x * this.#cell < right; x++) cells.push(`${x},${y}`);
    }
    return cells;
  }
}
