/**
 * The eight categories: an outline as a signed distance (negative inside; the object's radius is 1) and a surface pattern
 * that belongs to it, in colours that do not. As with real things, category shows in form and texture, not in colour.
 */

export interface Category {
  id: number;
  name: string;
  /** Signed distance of (x, y) in the object's own, rotated frame. */
  distance(x: number, y: number): number;
  /** 0 or 1: which of the object's two colours (x, y) has. */
  pattern(x: number, y: number): number;
}

const stripes = (x: number) => (Math.sin(9 * x) > 0 ? 1 : 0);
const checks = (x: number, y: number) => (Math.sin(8 * x) * Math.sin(8 * y) > 0 ? 1 : 0);
const rings = (x: number, y: number) => (Math.sin(14 * Math.hypot(x, y)) > 0 ? 1 : 0);
const wedges = (x: number, y: number) => (Math.sin(6 * Math.atan2(y, x)) > 0 ? 1 : 0);
const plain = () => 0;
const dots = (x: number, y: number) =>
  Math.hypot(((((x * 2.5) % 1) + 1.5) % 1) - 0.5, ((((y * 2.5) % 1) + 1.5) % 1) - 0.5) < 0.28 ? 1 : 0;
const halves = (x: number) => (x > 0 ? 1 : 0);
const border = (x: number, y: number) => (Math.max(Math.abs(x), Math.abs(y)) > 0.45 ? 1 : 0);

const box = (x: number, y: number, halfWidth: number, halfHeight: number) => {
  const dx = Math.abs(x) - halfWidth;
  const dy = Math.abs(y) - halfHeight;
  return Math.hypot(Math.max(dx, 0), Math.max(dy, 0)) + Math.min(Math.max(dx, dy), 0);
};

/** A regular polygon with its corners on the unit circle. */
const polygon = (x: number, y: number, corners: number) => {
  const sector = (2 * Math.PI) / corners;
  const angle = Math.atan2(y, x);
  const folded = angle - sector * Math.floor(angle / sector) - sector / 2;
  return Math.hypot(x, y) * Math.cos(folded) - Math.cos(sector / 2);
};

/** Five points: each sector is bounded by the line from an outer to an inner corner. */
const star = (x: number, y: number) => {
  const sector = (2 * Math.PI) / 5;
  const angle = Math.atan2(y, x);
  const folded = Math.abs(angle - sector * Math.round(angle / sector));
  const [px, py] = [Math.hypot(x, y) * Math.cos(folded), Math.hypot(x, y) * Math.sin(folded)];
  const [ix, iy] = [0.42 * Math.cos(sector / 2), 0.42 * Math.sin(sector / 2)];
  const length = Math.hypot(ix - 1, iy);
  return ((px - 1) * iy - py * (ix - 1)) / length;
};

const disk = (x: number, y: number, radius: number) => Math.hypot(x, y) - radius;

const FORMS: Omit<Category, 'id'>[] = [
  { name: 'disk', distance: (x, y) => disk(x, y, 0.85), pattern: wedges },
  { name: 'ring', distance: (x, y) => Math.abs(Math.hypot(x, y) - 0.7) - 0.25, pattern: plain },
  { name: 'square', distance: (x, y) => box(x, y, 0.72, 0.72), pattern: border },
  { name: 'triangle', distance: (x, y) => polygon(x, y, 3), pattern: stripes },
  { name: 'star', distance: star, pattern: dots },
  {
    name: 'cross',
    distance: (x, y) => Math.min(box(x, y, 0.95, 0.3), box(x, y, 0.3, 0.95)),
    pattern: checks,
  },
  {
    name: 'crescent',
    distance: (x, y) => Math.max(disk(x, y, 0.95), -disk(x - 0.42, y, 0.75)),
    pattern: rings,
  },
  {
    name: 'arrow',
    distance: (x, y) => Math.min(box(x + 0.35, y, 0.6, 0.26), polygon(x - 0.35, y, 3) * 0.65),
    pattern: halves,
  },
];

export const CATEGORIES: readonly Category[] = FORMS.map((form, i) => ({ id: i + 1, ...form }));
