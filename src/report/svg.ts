/**
 * Line charts as SVG: loss curves and the like, in one file that any browser shows and that needs nothing else.
 *
 * The text is a pure function of the data, so pictures can be compared byte for byte. A curve of a million steps is
 * thinned to what a pixel can show: per pixel column the first, lowest, highest and last point, which keeps every spike.
 * Values that cannot be drawn (NaN, infinities, zero on a logarithm) leave a gap.
 */

import { visible, visibleLine } from '../core/visible.js';
import { type Axis, makeAxis, type Scale } from './axis.js';

export interface Series {
  name: string;
  /** In ascending order. */
  x: ArrayLike<number>;
  /** As many as `x`. */
  y: ArrayLike<number>;
  /** Points that a mean is over: the curve is drawn smooth, and faint behind it as it is. */
  smooth?: number;
}

export interface LineChart {
  title: string;
  xLabel: string;
  yLabel: string;
  series: readonly Series[];
  xScale?: Scale;
  yScale?: Scale;
  /** Pixels of the whole picture. */
  width?: number;
  height?: number;
}

/** Okabe and Ito's colours, which people with any kind of colour vision tell apart; yellow left out on white. */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#000000'];
/** From the eighth series on the colours repeat with another dash. */
const DASHES = ['', '6 3', '2 3', '8 3 2 3'];

const LEFT = 72;
const RIGHT = 24;
const BOTTOM = 56;
const TITLE_Y = 26;
const LEGEND_Y = 48;
const LEGEND_LINE = 18;
/** Pixels of a letter of the legend on average; only the spacing of its entries depends on it. */
const LETTER = 7;

/** Up to here the points of a series are marked, as with few of them it matters where they are. */
const MOST_MARKERS = 40;

/** @throws RangeError when a series has not as many x as y */
export function lineChart(chart: LineChart): string {
  const {
    title,
    xLabel,
    yLabel,
    series,
    xScale = 'linear',
    yScale = 'linear',
    width = 720,
    height = 420,
  } = chart;
  for (const { name, x, y } of series) {
    if (x.length !== y.length) throw new RangeError(`chart: ${name} has ${x.length} x, but ${y.length} y`);
  }
  const legend = placeLegend(series, LEFT, width - RIGHT);
  const top = LEGEND_Y + legend.rows * LEGEND_LINE;
  const right = width - RIGHT;
  const bottom = height - BOTTOM;
  const xAxis = makeAxis(allOf(series, 'x'), xScale, Math.floor((right - LEFT) / 70) + 1);
  const yAxis = makeAxis(allOf(series, 'y'), yScale, Math.floor((bottom - top) / 40) + 1);
  const toX: Project = (value) => LEFT + xAxis.position(value) * (right - LEFT);
  const toY: Project = (value) => bottom - yAxis.position(value) * (bottom - top);

  const lines = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img"` +
      ' font-family="system-ui, -apple-system, Segoe UI, Roboto, Helvetica, Arial, sans-serif" font-size="12" fill="#333">',
    `<title>${escapeXml(title)}</title>`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    `<text x="${LEFT}" y="${TITLE_Y}" font-size="16" font-weight="600" fill="#111">${escapeXml(title)}</text>`,
    ...legend.lines,
    ...gridLines(xAxis, (value) => {
      const x = pixel(toX(value));
      return {
        line: `M${x} ${pixel(top)}V${pixel(bottom)}`,
        text: `x="${x}" y="${bottom + 18}" text-anchor="middle"`,
      };
    }),
    ...gridLines(yAxis, (value) => {
      const y = pixel(toY(value));
      return { line: `M${LEFT} ${y}H${right}`, text: `x="${LEFT - 8}" y="${y}" dy="4" text-anchor="end"` };
    }),
    `<path d="M${LEFT} ${pixel(top)}V${bottom}H${right}" fill="none" stroke="#888"/>`,
    `<text x="${pixel((LEFT + right) / 2)}" y="${height - 14}" text-anchor="middle">${escapeXml(xLabel)}</text>`,
    `<text transform="translate(18 ${pixel((top + bottom) / 2)}) rotate(-90)" text-anchor="middle">${escapeXml(yLabel)}</text>`,
  ];
  let empty = true;
  for (const [index, item] of series.entries()) {
    const smoothed = item.smooth === undefined ? item : { ...item, y: movingMean(item.y, item.smooth) };
    const d = curve(smoothed, toX, toY);
    if (d === '') continue;
    empty = false;
    const line = (width: number) =>
      `fill="none" ${stroke(index)} stroke-width="${width}" stroke-linejoin="round" stroke-linecap="round"`;
    if (smoothed !== item) lines.push(`<path d="${curve(item, toX, toY)}" ${line(1)} opacity="0.25"/>`);
    lines.push(`<path d="${d}" ${line(1.75)}/>`);
    if (item.x.length <= MOST_MARKERS)
      lines.push(...markers(item, toX, toY, COLOURS[index % COLOURS.length]));
  }
  if (empty) {
    lines.push(
      `<text x="${pixel((LEFT + right) / 2)}" y="${pixel((top + bottom) / 2)}" text-anchor="middle" fill="#888">no data</text>`,
    );
  }
  return `${lines.join('\n')}\n</svg>\n`;
}

function* allOf(series: readonly Series[], coordinate: 'x' | 'y'): Generator<number> {
  for (const item of series) yield* Array.from(item[coordinate]);
}

function gridLines(axis: Axis, at: (value: number) => { line: string; text: string }): string[] {
  return axis.ticks.flatMap(({ value, label }) => {
    const { line, text } = at(value);
    return [`<path d="${line}" stroke="#e3e3e3"/>`, `<text ${text}>${label}</text>`];
  });
}

/** Entries from left to right, on further rows when the names are long. */
function placeLegend(
  series: readonly Series[],
  left: number,
  right: number,
): { rows: number; lines: string[] } {
  const lines: string[] = [];
  let x = left;
  let row = 0;
  for (const [index, { name }] of series.entries()) {
    const length = 26 + name.length * LETTER + 18;
    if (x > left && x + length > right) {
      x = left;
      row++;
    }
    const y = LEGEND_Y + row * LEGEND_LINE;
    lines.push(
      `<path d="M${x} ${y - 4}h20" ${stroke(index)} stroke-width="2.5"/>`,
      `<text x="${x + 26}" y="${y}">${escapeXml(name)}</text>`,
    );
    x += length;
  }
  return { rows: series.length === 0 ? 0 : row + 1, lines };
}

function stroke(index: number): string {
  const dash = DASHES[Math.floor(index / COLOURS.length) % DASHES.length];
  return `stroke="${COLOURS[index % COLOURS.length]}"${dash === '' ? '' : ` stroke-dasharray="${dash}"`}`;
}

/** The path of one series; a point without neighbours becomes a dot by its round cap. */
function curve({ x, y }: Series, toX: Project, toY: Project): string {
  const pieces: string[] = [];
  let run: Point[] = [];
  const close = (): void => {
    const points = thin(run).map((point) => `${pixel(point.x)} ${pixel(point.y)}`);
    if (points.length === 1) pieces.push(`M${points[0]}h0.01`);
    else if (points.length > 1) pieces.push(`M${points.join('L')}`);
    run = [];
  };
  for (let i = 0; i < x.length; i++) {
    const point = { x: toX(x[i]), y: toY(y[i]) };
    if (Number.isFinite(point.x) && Number.isFinite(point.y)) run.push(point);
    else close();
  }
  close();
  return pieces.join('');
}

/** Means of up to `window` values around each; what is not finite is left out. */
function movingMean(values: ArrayLike<number>, window: number): number[] {
  const half = window >> 1;
  return Array.from(values, (value, i) => {
    if (!Number.isFinite(value)) return value;
    const near = Array.from({ length: 2 * half + 1 }, (_, k) => values[i - half + k]).filter(Number.isFinite);
    return near.reduce((sum, other) => sum + other, 0) / near.length;
  });
}

type Project = (value: number) => number;

interface Point {
  x: number;
  y: number;
}

function markers({ x, y }: Series, toX: Project, toY: Project, colour: string): string[] {
  return Array.from(x, (value, i): Point => ({ x: toX(value), y: toY(y[i]) }))
    .filter((point) => Number.isFinite(point.x) && Number.isFinite(point.y))
    .map((point) => `<circle cx="${pixel(point.x)}" cy="${pixel(point.y)}" r="2.5" fill="${colour}"/>`);
}

/** At most four points per pixel column, in their order. */
function thin(points: readonly Point[]): Point[] {
  const kept: Point[] = [];
  for (let start = 0; start < points.length; ) {
    const column = Math.floor(points[start].x);
    let [end, low, high] = [start, start, start];
    for (; end < points.length && Math.floor(points[end].x) === column; end++) {
      if (points[end].y < points[low].y) low = end;
      if (points[end].y > points[high].y) high = end;
    }
    const indices = new Set([start, low, high, end - 1].sort((a, b) => a - b));
    for (const index of indices) kept.push(points[index]);
    start = end;
  }
  return kept;
}

/** Two decimals at most: a hundredth of a pixel is invisible, and further digits differ between machines. */
function pixel(value: number): string {
  return String(Number(value.toFixed(2)));
}

/** Most control characters may not be in XML, not even escaped as XML does it. */
export function escapeXml(text: string, { lines = false } = {}): string {
  return (lines ? visible(text) : visibleLine(text))
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
