/**
 * Names from files as they may be shown. A terminal obeys control characters: a tensor's name could clear the screen, hide what
 * follows, or turn the direction of reading around.
 */

/** Control characters, separators of lines and paragraphs, marks and overrides of direction. */
const CONTROLS = /[\p{Cc}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** Lines and tabs stay; the rest is written as in JSON. */
export function visible(text: string): string {
  return text.replaceAll(CONTROLS, (letter) =>
    letter === '\n' || letter === '\t' ? letter : escaped(letter),
  );
}

/** On one line. */
export function visibleLine(text: string): string {
  return text.replaceAll(CONTROLS, escaped);
}

function escaped(letter: string): string {
  return `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
