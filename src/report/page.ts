/**
 * Pages in one file, which need neither network nor script: text, tables, charts, pictures. Light or dark as the reader's system,
 * from 400 pixels of width on.
 *
 *     page({ title, lead, sections: [{ title: 'Loss', html: figure(lineChart(...), 'of all steps') }] })
 *
 * Every text is escaped here; what is called `html` was made here.
 */

import { escapeXml } from './svg.js';

export interface PageSection {
  readonly title: string;
  readonly html: string;
}

export interface Page {
  readonly title: string;
  /** A sentence below the title. */
  readonly lead: string;
  readonly sections: readonly PageSection[];
}

const STYLE = `:root { color-scheme: light dark; --line: #ddd; --soft: #666; --card: #fff; --code: #f4f4f2; --good: #0a7d4f; --bad: #b3401a }
@media (prefers-color-scheme: dark) { :root { --line: #444; --soft: #aaa; --code: #26262a; --good: #5ac79a; --bad: #f0915f } }
* { box-sizing: border-box }
body { font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; max-width: 62rem; margin: 0 auto; padding: 2rem 1rem 4rem }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .3rem; overflow-wrap: anywhere } h2 { font-size: 1.2rem; margin: 2.4rem 0 .6rem }
.lead { color: var(--soft); margin: 0; overflow-wrap: anywhere } .note { color: var(--soft); font-size: .875rem; margin: .5rem 0 0 }
.wide { overflow-x: auto } table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9375rem }
th, td { padding: .35rem .8rem; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap }
th { font-weight: 600; vertical-align: bottom } th:first-child, td:first-child { text-align: left; padding-left: 0 } .long td, .long th { white-space: normal; text-align: left }
figure { margin: 0 0 1rem } .charts { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)) }
svg, img { display: block; max-width: 100%; height: auto } figure svg { background: var(--card); border-radius: 6px; width: 100% } figcaption { color: var(--soft); font-size: .875rem; margin-top: .3rem }
pre { background: var(--code); border-radius: 6px; padding: .8rem 1rem; overflow-x: auto; font: .8125rem/1.5 ui-monospace, Consolas, monospace; margin: 0 }
.good { color: var(--good) } .bad { color: var(--bad) } ul { padding-left: 1.2rem; margin: .4rem 0 } details > summary { cursor: pointer; color: var(--soft) }`;

export function page({ title, lead, sections }: Page): string {
  const body = sections
    .filter(({ html }) => html !== '')
    .map(({ title, html }) => `<section>\n<h2>${escapeXml(title)}</h2>\n${html}\n</section>`);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeXml(title)}</title><style>${STYLE}</style></head><body>
<h1>${escapeXml(title)}</h1>
<p class="lead">${escapeXml(lead)}</p>
${body.join('\n')}
</body></html>
`;
}

/** @param long cells are sentences, which may take several lines */
export function htmlTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  { long = false } = {},
): string {
  const line = (tag: 'td' | 'th', cells: readonly string[]) =>
    `<tr>${cells.map((cell) => `<${tag}>${escapeXml(cell)}</${tag}>`).join('')}</tr>`;
  const head = header.length === 0 ? '' : `<thead>${line('th', header)}</thead>`;
  return `<div class="wide"><table${long ? ' class="long"' : ''}>${head}<tbody>\n${rows.map((row) => line('td', row)).join('\n')}\n</tbody></table></div>`;
}

export function note(text: string): string {
  return `<p class="note">${escapeXml(text)}</p>`;
}

/** @param mood of a line that is a verdict */
export function listOf(lines: readonly { text: string; mood?: 'good' | 'bad' | undefined }[]): string {
  if (lines.length === 0) return '';
  const item = ({ text, mood }: (typeof lines)[number]) =>
    `<li${mood === undefined ? '' : ` class="${mood}"`}>${escapeXml(text)}</li>`;
  return `<ul>${lines.map(item).join('')}</ul>`;
}

/** Commands, settings. */
export function code(text: string): string {
  return `<pre>${escapeXml(text, { lines: true })}</pre>`;
}

/** What is only looked at when it is asked for. */
export function folded(summary: string, html: string): string {
  return `<details><summary>${escapeXml(summary)}</summary>${html}</details>`;
}

/** @param svg a whole document, such as `lineChart`'s */
export function figure(svg: string, caption = ''): string {
  return `<figure>${svg}${caption === '' ? '' : `<figcaption>${escapeXml(caption)}</figcaption>`}</figure>`;
}

/** Beside each other where there is room. */
export function side(figures: readonly string[]): string {
  return figures.length === 0 ? '' : `<div class="charts">${figures.join('\n')}</div>`;
}

/** A picture within the page. @param bytes of a PNG or JPEG file */
export function picture(bytes: Uint8Array, caption: string): string {
  const type = bytes[0] === 0x89 ? 'image/png' : 'image/jpeg';
  const data = `data:${type};base64,${Buffer.from(bytes).toString('base64')}`;
  return `<figure><img src="${data}" alt="${escapeXml(caption)}"><figcaption>${escapeXml(caption)}</figcaption></figure>`;
}
