/** The table as a page: figures, differences, curves of all runs, detections on the same pictures, how it came about. */

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatDuration } from '../../core/clock.js';
import {
  code,
  figure,
  folded,
  htmlTable,
  listOf,
  note,
  type PageSection,
  page,
  picture,
  side,
} from '../../report/page.js';
import { lineChart } from '../../report/svg.js';
import { readRun } from '../report/read-run.js';
import type { CellKind } from './cells.js';
import { CAPTION, differenceText, entryText, PAPER_CAPTION } from './describe.js';
import { PAPER } from './paper.js';
import type { Done } from './table.js';
import type { ResultsContent } from './write.js';

/** Which metric of which cells is shown as curves, and what it is called. */
const CURVES: readonly (readonly [kind: CellKind, metric: string, title: string])[] = [
  ['pretrain', 'loss', 'Pretraining: loss'],
  ['pretrain', 'spread', 'Pretraining: spread of the outputs'],
  ['faster', 'loss', 'Faster R-CNN: loss'],
  ['mask', 'loss', 'Mask R-CNN: loss'],
];

/** @param folderOf of a cell's runs */
export async function resultsPage(
  { table, done, about }: ResultsContent,
  folderOf: (done: Done) => string,
): Promise<string> {
  const { columns, rows, comparisons } = table;
  const titles = columns.map(({ title }) => title);
  const figures = htmlTable(
    ['', ...titles],
    rows.map(({ row, entries }) => [
      row.name,
      ...columns.map(({ name }) => (entries[name] === undefined ? '–' : entryText(entries[name]))),
    ]),
  );
  const differences = htmlTable(
    ['', ...titles],
    comparisons.map(({ a, b, differences }) => [
      `${a} − ${b}`,
      ...columns.map(({ name }) =>
        differences[name] === undefined ? '–' : differenceText(differences[name]),
      ),
    ]),
  );
  const sections: PageSection[] = [
    { title: 'Figures', html: figures + note(CAPTION) },
    { title: 'Differences', html: comparisons.length === 0 ? '' : differences },
    {
      title: 'Not there',
      html: listOf(about.missing.map(({ id, reason }) => ({ text: `${id}: ${reason}`, mood: 'bad' }))),
    },
    { title: 'Curves', html: await curves(done, folderOf) },
    { title: 'The same pictures', html: await pictures(done, folderOf) },
    {
      title: 'The paper',
      html: paperTable(columns.map(({ name, title }) => [name, title])) + note(PAPER_CAPTION),
    },
    { title: 'How', html: howText(about, done) },
  ];
  return page({ title: `Results: ${about.plan}`, lead: about.machine, sections });
}

async function curves(done: readonly Done[], folderOf: (done: Done) => string): Promise<string> {
  const charts: string[] = [];
  for (const [kind, metric, title] of CURVES) {
    const series = [];
    for (const one of done.filter(({ cell }) => cell.kind === kind)) {
      const { metrics } = await readRun(folderOf(one));
      const points = metrics.filter((row) => row[metric] !== undefined);
      if (points.length === 0) continue;
      const { row, seed } = one.cell;
      const smooth = Math.max(1, Math.round(points.length / 40));
      series.push({
        name: `${row.name}, seed ${seed}`,
        x: points.map(({ step }) => step + 1),
        y: points.map((row) => row[metric]),
        smooth,
      });
    }
    if (series.length > 0)
      charts.push(figure(lineChart({ title, xLabel: 'steps', yLabel: '', series, width: 560, height: 340 })));
  }
  return side(charts);
}

/** What the detectors of each row find in the same images, where it was drawn. */
async function pictures(done: readonly Done[], folderOf: (done: Done) => string): Promise<string> {
  const figures: string[] = [];
  for (const one of done) {
    const folder = join(folderOf(one), PICTURES);
    const names = (await readdir(folder).catch(() => [])).filter((name) => /\.(jpg|png)$/.test(name)).sort();
    const { row, kind, seed } = one.cell;
    for (const name of names) {
      figures.push(
        picture(
          await readFile(join(folder, name)),
          `${row.name}, ${kind === 'mask' ? 'Mask' : 'Faster'} R-CNN, seed ${seed}: ${name}`,
        ),
      );
    }
  }
  return side(figures);
}

/** Within a cell's folder. */
export const PICTURES = 'pictures';

function paperTable(columns: readonly (readonly [name: string, title: string])[]): string {
  const shown = columns.filter(([name]) => PAPER.some(({ figures }) => figures[name] !== undefined));
  return htmlTable(
    ['', 'epochs', ...shown.map(([, title]) => title)],
    PAPER.map(({ row, epochs, figures }) => [
      row,
      epochs === undefined ? '–' : String(epochs),
      ...shown.map(([name]) => figures[name]?.toFixed(2) ?? '–'),
    ]),
  );
}

function howText(about: ResultsContent['about'], done: readonly Done[]): string {
  const seconds = done.reduce((sum, { result }) => sum + result.seconds, 0);
  const summary = `scrl ${about.scrl}, TensorFlow ${about.tensorflow}, ${about.machine}; ${done.length} cells, ${formatDuration(seconds)} in all.`;
  const cells = htmlTable(
    ['cell', 'time', 'notes'],
    done.map(({ result }) => [
      result.id,
      formatDuration(result.seconds),
      Object.entries(result.notes)
        .map(([name, value]) => `${name} ${value}`)
        .join('; '),
    ]),
    { long: true },
  );
  return note(summary) + folded('every cell', cells) + folded('every setting', code(about.settings));
}
