/** The files of a table: `results.md`, `results.json`, `results.csv`. */

import { join } from 'node:path';
import { formatDuration } from '../../core/clock.js';
import { writeFileAtomic } from '../../core/replace.js';
import { CAPTION, differenceText, entryText, PAPER_CAPTION } from './describe.js';
import { PAPER } from './paper.js';
import type { Done, ResultsTable } from './table.js';

/** A cell that is not in the table, and why. */
export interface Missing {
  readonly id: string;
  readonly reason: string;
}

/** How the table came about. */
export interface Provenance {
  /** Name of the plan. */
  readonly plan: string;
  /** Every setting of the plan, as a configuration file. */
  readonly settings: string;
  readonly scrl: string;
  readonly tensorflow: string;
  /** Processor, cores, system. */
  readonly machine: string;
  readonly missing: readonly Missing[];
}

export interface ResultsContent {
  readonly table: ResultsTable;
  readonly done: readonly Done[];
  readonly about: Provenance;
}

export async function writeResultsFiles(out: string, content: ResultsContent): Promise<void> {
  await writeFileAtomic(join(out, 'results.md'), markdown(content));
  await writeFileAtomic(join(out, 'results.csv'), csv(content));
  await writeFileAtomic(join(out, 'results.json'), `${JSON.stringify(json(content), null, 2)}\n`);
}

export function markdown({ table, done, about }: ResultsContent): string {
  const { columns, rows, comparisons } = table;
  const titles = columns.map(({ title }) => title);
  const lines = [
    `# Results: ${about.plan}`,
    '',
    ...tableLines(
      ['', ...titles],
      rows.map(({ row, entries }) => [
        row.name,
        ...columns.map(({ name }) => (entries[name] === undefined ? '–' : entryText(entries[name]))),
      ]),
    ),
    '',
    CAPTION,
    '',
  ];
  if (comparisons.length > 0) {
    lines.push(
      ...tableLines(
        ['difference', ...titles],
        comparisons.map(({ a, b, differences }) => [
          `${a} − ${b}`,
          ...columns.map(({ name }) =>
            differences[name] === undefined ? '–' : differenceText(differences[name]),
          ),
        ]),
      ),
      '',
    );
  }
  lines.push(...noiseLines(table), ...missingLines(about), ...paperLines(table), ...aboutLines(about, done));
  return `${lines.join('\n')}\n`;
}

/** What the validation images alone would move. */
function noiseLines({ columns, rows }: ResultsTable): string[] {
  const noises = columns.flatMap(({ name, title }) => {
    const values = rows.flatMap(({ entries }) => entries[name]?.noise ?? []).filter((value) => value > 0);
    return values.length === 0
      ? []
      : [`${title} ${Math.min(...values).toFixed(1)} to ${Math.max(...values).toFixed(1)}`];
  });
  return noises.length === 0
    ? []
    : [
        `With other validation images a single figure would vary by (one standard deviation): ${noises.join('; ')}.`,
        '',
      ];
}

function missingLines({ missing }: Provenance): string[] {
  if (missing.length === 0) return [];
  return [
    'Not there:',
    '',
    ...missing.map(({ id, reason }) => `- ${id}: ${reason.replaceAll('\n', ' ')}`),
    '',
  ];
}

function paperLines({ columns }: ResultsTable): string[] {
  const shown = columns.filter(({ name }) => PAPER.some(({ figures }) => figures[name] !== undefined));
  if (shown.length === 0) return [];
  return [
    '## The paper',
    '',
    ...tableLines(
      ['', 'epochs', ...shown.map(({ title }) => title)],
      PAPER.map(({ row, epochs, figures }) => [
        row,
        epochs === undefined ? '–' : String(epochs),
        ...shown.map(({ name }) => figures[name]?.toFixed(2) ?? '–'),
      ]),
    ),
    '',
    PAPER_CAPTION,
    '',
  ];
}

function aboutLines(about: Provenance, done: readonly Done[]): string[] {
  const seconds = done.reduce((sum, { result }) => sum + result.seconds, 0);
  return [
    '## How',
    '',
    `scrl ${about.scrl}, TensorFlow ${about.tensorflow}, ${about.machine}; ${done.length} cells, ${formatDuration(seconds)} in all.`,
    '',
    ...protocols(done).map((protocol) => `- ${protocol}`),
    '',
    ...tableLines(
      ['cell', 'time', 'notes'],
      done.map(({ result }) => [
        result.id,
        formatDuration(result.seconds),
        Object.entries(result.notes)
          .filter(([name]) => name !== PROTOCOL)
          .map(([name, value]) => `${name} ${value}`)
          .join('; '),
      ]),
    ),
    '',
    '```yaml',
    about.settings.trimEnd(),
    '```',
  ];
}

const PROTOCOL = 'protocol';

/** Each once. */
function protocols(done: readonly Done[]): string[] {
  const all = done.flatMap(({ result: { notes } }) => (PROTOCOL in notes ? [String(notes[PROTOCOL])] : []));
  return [...new Set(all)];
}

function tableLines(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)];
}

function csv({ table: { columns }, done }: ResultsContent): string {
  const lines = done.flatMap(({ cell, result }) =>
    columns
      .filter((column) => column.cell === cell.kind && Number.isFinite(result.figures[column.figure]))
      .map(({ name, figure }) =>
        [
          cell.row.name,
          cell.seed,
          name,
          result.figures[figure],
          result.noise[figure] ?? '',
          result.fingerprint,
        ].join(','),
      ),
  );
  return `${['row,seed,column,percent,noise,fingerprint', ...lines].join('\n')}\n`;
}

function json({ table, done, about }: ResultsContent) {
  return {
    ...about,
    columns: table.columns.map(({ name, title }) => ({ name, title })),
    rows: table.rows.map(({ row, entries }) => ({ row: row.name, ...entries })),
    comparisons: table.comparisons,
    cells: done.map(({ cell, result }) => ({
      row: cell.row.name,
      seed: cell.seed,
      kind: cell.kind,
      ...result,
    })),
    paper: PAPER,
  };
}
