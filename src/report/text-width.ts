/**
 * How many columns a text takes on a terminal. Names of classes and folders may be Chinese or Japanese, whose letters
 * are two columns wide, or hold accents that take none; `length` would break tables and lines there.
 */

const SEGMENTER = new Intl.Segmenter('en', { granularity: 'grapheme' });
const WIDE =
  /^(?:\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{20000}-\u{3fffd}])/u;
const PLAIN = /^[\x20-\x7e]*$/;

/** Columns of a text without control characters. */
export function textWidth(text: string): number {
  if (PLAIN.test(text)) return text.length;
  let width = 0;
  for (const { segment } of SEGMENTER.segment(text)) width += columnsOf(segment);
  return width;
}

/** The longest beginning of a text that fits into `columns`. */
export function cutToWidth(text: string, columns: number): string {
  if (textWidth(text) <= columns) return text;
  let cut = '';
  let width = 0;
  for (const { segment } of SEGMENTER.segment(text)) {
    width += columnsOf(segment);
    if (width > columns) break;
    cut += segment;
  }
  return cut;
}

function columnsOf(grapheme: string): number {
  return WIDE.test(grapheme) ? 2 : 1;
}
