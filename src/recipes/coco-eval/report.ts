/** The report of an evaluation: one HTML file that needs nothing else, and tables for other programs. */

import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../core/errors.js';
import { explainWriteError } from '../../core/fs.js';
import { writeFileAtomic } from '../../core/replace.js';
import { precisionCurve } from '../../pycocotools/evaluation/per-category.js';
import type { FileEvaluation } from '../../pycocotools/files/evaluate-files.js';
import { escapeXml, lineChart } from '../../report/svg.js';
import { type CategoryRow, shortName } from './categories.js';

/** @throws UserError when the folder holds files already and may not be written over, or cannot be made */
export async function prepareReport(folder: string, overwrite: boolean): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    if (overwrite || (await readdir(folder)).length === 0) return;
  } catch (error) {
    throw explainWriteError(folder, error);
  }
  throw new UserError('the folder is not empty', {
    where: folder,
    remedy: 'choose another for --out, or add --overwrite to replace the report in it',
  });
}

/** Writes report.html, categories.csv and curves.csv. @returns the HTML file */
export async function writeReport(
  folder: string,
  evaluation: FileEvaluation,
  rows: readonly CategoryRow[],
  { gt, dt }: { gt: string; dt: string },
): Promise<string> {
  const html = join(folder, 'report.html');
  await writeFileAtomic(join(folder, 'categories.csv'), categoriesCsv(rows));
  await writeFileAtomic(join(folder, 'curves.csv'), curvesCsv(evaluation, rows));
  await writeFileAtomic(html, page(evaluation, rows, { gt, dt }));
  return html;
}

/** The curves that are drawn and written: at these thresholds, and on average. */
const LINES = [
  { name: 'IoU 0.50', column: 'precision_50', iouThr: 0.5 },
  { name: 'IoU 0.75', column: 'precision_75', iouThr: 0.75 },
  { name: 'mean of all IoU', column: 'precision_mean', iouThr: undefined },
] as const;

function categoriesCsv(rows: readonly CategoryRow[]): string {
  const names = Object.keys(rows[0]?.figures ?? {});
  const lines = rows.map(({ id, name, objects, results, figures }) =>
    [id, csvText(name), objects, results, ...names.map((key) => figures[key])].join(','),
  );
  return `${[['id', 'category', 'objects', 'results', ...names].join(','), ...lines].join('\n')}\n`;
}

function curvesCsv({ curves, params }: FileEvaluation, rows: readonly CategoryRow[]): string {
  const lines = [`category,recall,${LINES.map(({ column }) => column).join(',')}`];
  rows.forEach(({ name, figures }, k) => {
    if (Object.values(figures).every((value) => value < 0)) return;
    const precisions = LINES.map(({ iouThr }) => precisionCurve(curves, params, k, iouThr));
    params.recThrs.forEach((recall, r) => {
      lines.push([csvText(name), recall, ...precisions.map((curve) => curve[r])].join(','));
    });
  });
  return `${lines.join('\n')}\n`;
}

function csvText(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function chart({ curves, params }: FileEvaluation, category: number | undefined, title: string): string {
  return lineChart({
    title,
    xLabel: 'recall',
    yLabel: 'precision',
    series: LINES.map(({ name, iouThr }) => ({
      name,
      x: params.recThrs,
      y: precisionCurve(curves, params, category, iouThr),
    })),
  });
}

const STYLE = `body { font: 15px/1.5 system-ui, sans-serif; color: #222; margin: 2rem auto; max-width: 60rem; padding: 0 1rem }
table { border-collapse: collapse; font-variant-numeric: tabular-nums } th, td { padding: .2rem .7rem; text-align: right; border-bottom: 1px solid #ddd }
th:first-child, td:first-child { text-align: left } svg { max-width: 100%; height: auto } summary { cursor: pointer } .wide { overflow-x: auto }`;

function page(
  evaluation: FileEvaluation,
  rows: readonly CategoryRow[],
  files: { gt: string; dt: string },
): string {
  const { params, summary, dataset, results } = evaluation;
  const cells = (tag: 'td' | 'th', values: readonly (string | number)[]) =>
    `<tr>${values.map((value) => `<${tag}>${escapeXml(String(value))}</${tag}>`).join('')}</tr>`;
  const percent = (value: number) => (value < 0 ? '-' : (100 * value).toFixed(2));
  const names = Object.keys(rows[0]?.figures ?? {});
  const measured = rows
    .map((row, k) => ({ row, k }))
    .filter(({ row }) => row.objects > 0)
    .sort((a, b) => b.row.figures[names[0]] - a.row.figures[names[0]]);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>COCO evaluation: ${escapeXml(files.dt)}</title><style>${STYLE}</style></head><body>
<h1>COCO evaluation, ${params.iouType}</h1>
<p>${escapeXml(files.dt)} (${results.count} results) against ${escapeXml(files.gt)} (${dataset.annotations.count} annotations,
${dataset.images.length} images, ${dataset.categories.length} categories). Figures in percent; "-" where there is no ground truth.
At most ${params.maxDets.at(-1)} results count per image and category. Areas: ${params.areaRngLbl
    .map(
      (label, i) =>
        `${label} ${Math.sqrt(params.areaRng[i][0])} to ${Math.sqrt(params.areaRng[i][1])} pixels squared`,
    )
    .join(', ')}.</p>
<div class="wide"><table>${cells('th', ['', ...summary.map(shortName)])}${cells('td', ['all', ...summary.map(({ value }) => percent(value))])}</table></div>
<h2>Precision and recall</h2>
${chart(evaluation, undefined, 'Mean of the categories')}
<h2>Categories</h2>
<div class="wide"><table>${cells('th', ['category', 'objects', 'results', ...names])}
${measured.map(({ row }) => cells('td', [row.name, row.objects, row.results, ...names.map((name) => percent(row.figures[name]))])).join('\n')}
</table></div>
${measured.map(({ row, k }) => `<details><summary>${escapeXml(row.name)}</summary>${chart(evaluation, k, row.name)}</details>`).join('\n')}
</body></html>
`;
}
