import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '../core/replace.js';
import { lineChart } from '../report/svg.js';

/**
 * Draws numbers of all steps in `metrics.jsonl`, those of earlier processes included, into `loss.svg`.
 *
 * @param names of the metrics, a line for each
 */
export async function writeLossCurve(folder: string, title: string, names: readonly string[]): Promise<void> {
  const text = await readFile(join(folder, 'metrics.jsonl'), 'utf8');
  const rows = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, number | null>);
  const series = names.map((name) => {
    const points = rows.filter((row) => typeof row[name] === 'number');
    return { name, x: points.map(({ step }) => Number(step)), y: points.map((row) => Number(row[name])) };
  });
  const chart = lineChart({ title, xLabel: 'step', yLabel: names.join(', '), series });
  await writeFileAtomic(join(folder, 'loss.svg'), chart);
}
