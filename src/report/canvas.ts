/** A picture that is put together: smaller pictures are pasted, and boxes drawn, onto a white ground. */

export type Colour = readonly [red: number, green: number, blue: number];

/** Okabe and Ito's colours, told apart by people with any kind of colour vision. */
export const BOX_COLOURS: readonly Colour[] = [
  [230, 159, 0],
  [86, 180, 233],
  [0, 158, 115],
  [240, 228, 66],
  [0, 114, 178],
  [213, 94, 0],
  [204, 121, 167],
];

const BLACK: Colour = [0, 0, 0];

export interface Picture {
  /** [height, width, 3], 8-bit RGB */
  data: Uint8Array;
  width: number;
  height: number;
}

export class Canvas implements Picture {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;

  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
    this.data = new Uint8Array(width * height * 3).fill(255);
  }

  /** Pastes a picture with its top left corner at (left, top); what does not fit is cut off. */
  paste(picture: Picture, left: number, top: number): void {
    const columns = Math.min(picture.width, this.width - left);
    for (let row = 0; row < Math.min(picture.height, this.height - top); row++) {
      const from = row * picture.width * 3;
      this.data.set(picture.data.subarray(from, from + columns * 3), ((top + row) * this.width + left) * 3);
    }
  }

  /** Draws the outline of a box, inside of it. @param xyxy left, top, right, bottom in continuous pixels */
  outline(xyxy: readonly [number, number, number, number], colour: Colour, thickness = 2): void {
    const [left, top, right, bottom] = xyxy.map(Math.round);
    this.#fill(left, top, right, top + thickness, colour);
    this.#fill(left, bottom - thickness, right, bottom, colour);
    this.#fill(left, top, left + thickness, bottom, colour);
    this.#fill(right - thickness, top, right, bottom, colour);
  }

  /** Marks a point, in continuous pixels: a cross with a dark edge, to be seen on any ground. */
  cross([x, y]: readonly [number, number], colour: Colour, radius = 11): void {
    for (const [edge, tint] of [
      [2, BLACK],
      [0, colour],
    ] as const) {
      const [long, wide] = [radius + edge, 1.5 + edge];
      this.#fill(
        Math.round(x - long),
        Math.round(y - wide),
        Math.round(x + long),
        Math.round(y + wide),
        tint,
      );
      this.#fill(
        Math.round(x - wide),
        Math.round(y - long),
        Math.round(x + wide),
        Math.round(y + long),
        tint,
      );
    }
  }

  /** Marks a point, in continuous pixels, with a ring around it. */
  ring([x, y]: readonly [number, number], colour: Colour, radius = 15): void {
    const reach = Math.ceil(radius + 4);
    for (let row = Math.floor(y) - reach; row <= y + reach; row++) {
      for (let column = Math.floor(x) - reach; column <= x + reach; column++) {
        const distance = Math.abs(Math.hypot(column + 0.5 - x, row + 0.5 - y) - radius);
        if (distance > 3.5) continue;
        this.#fill(column, row, column + 1, row + 1, distance > 1.5 ? BLACK : colour);
      }
    }
  }

  #fill(left: number, top: number, right: number, bottom: number, colour: Colour): void {
    for (let y = Math.max(0, top); y < Math.min(bottom, this.height); y++) {
      for (let x = Math.max(0, left); x < Math.min(right, this.width); x++) {
        this.data.set(colour, (y * this.width + x) * 3);
      }
    }
  }
}
