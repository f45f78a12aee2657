/**
 * Reproduces the paper's table at any scale: computes the cells of a plan that are not there yet, and writes the table after each.
 * What is on the disk stands in `results-folder.ts`.
 */

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import type { ResolvedConfig } from '../../config/load.js';
import { renderConfig } from '../../config/print.js';
import type { ResultsConfig } from '../../config/schemas/results.js';
import { formatDuration } from '../../core/clock.js';
import { errorMessage, UserError } from '../../core/errors.js';
import { makeFolder } from '../../core/fs.js';
import { type LiveLog, SILENT } from '../../core/log.js';
import { writeFileAtomic } from '../../core/replace.js';
import { lockRunFolder } from '../../train/run-lock.js';
import { openEngine } from '../shared/open-engine.js';
import { type Cell, cellsOf, rowsOf } from './cells.js';
import { columnsOf } from './columns.js';
import { Estimates } from './estimate.js';
import { Fingerprints } from './fingerprint.js';
import { cellFolder, heldOutFolder, readResult, writeResult } from './results-folder.js';
import { resultsPage } from './results-page.js';
import { requireData, runCell } from './run-cell.js';
import { type Done, makeTable, type ResultsTable } from './table.js';
import { type Missing, markdown, type Provenance, writeResultsFiles } from './write.js';

const require = createRequire(import.meta.url);

export interface ReproduceOptions {
  readonly resolved: ResolvedConfig<ResultsConfig>;
  /** Asks the cell that is being computed to save and stop; the reason is the name of the signal. */
  readonly signal?: AbortSignal | undefined;
  readonly log?: LiveLog;
}

export interface ReproduceReport {
  readonly folder: string;
  readonly table: ResultsTable;
  /** The table as Markdown. */
  readonly text: string;
  /** Cells that could not be computed. */
  readonly failed: readonly Missing[];
  readonly interrupted: boolean;
}

/** A cell, and where it is. */
interface Planned {
  readonly cell: Cell;
  readonly fingerprint: string;
  readonly folder: string;
}

interface Plan {
  readonly config: ResultsConfig;
  readonly cells: readonly Planned[];
  /** Folder of the links to the images that choose the classifier's rate. */
  readonly heldOut: string;
  readonly about: Omit<Provenance, 'missing'>;
}

/** @throws UserError for a plan that cannot be begun; what goes wrong within a cell is in the report */
export async function reproduce({
  resolved,
  signal,
  log = SILENT,
}: ReproduceOptions): Promise<ReproduceReport> {
  const { config } = resolved;
  await requireData(config);
  await makeFolder(config.out);
  const release = await lockRunFolder(config.out, log);
  try {
    const progress = new TableProgress(await openPlan(resolved, log), log);
    return await progress.compute(signal);
  } finally {
    await release();
  }
}

export interface PlannedCell {
  readonly id: string;
  readonly state: 'done' | 'begun' | 'to do';
  /** Until it is done, from its beginning; 0 of one that is done. */
  readonly seconds: number;
}

/** What `reproduce` would do, without doing it. @throws UserError as it does */
export async function dryReproduce({ resolved, log = SILENT }: ReproduceOptions): Promise<PlannedCell[]> {
  const { config } = resolved;
  await requireData(config);
  const { cells } = await openPlan(resolved, log);
  const estimates = new Estimates(config, log);
  const planned: PlannedCell[] = [];
  for (const { cell, folder, fingerprint } of cells) {
    const isDone = (await readResult(folder, fingerprint)) !== undefined;
    const state = isDone ? 'done' : existsSync(folder) ? 'begun' : 'to do';
    planned.push({ id: cell.id, state, seconds: isDone ? 0 : await estimates.seconds(cell) });
  }
  return planned;
}

async function openPlan(resolved: ResolvedConfig<ResultsConfig>, log: LiveLog): Promise<Plan> {
  const { config, configName } = resolved;
  const runtime = await openEngine(config.engine, log);
  const tensorflow = runtime.version;
  runtime.close();
  const fingerprints = new Fingerprints(config, tensorflow, log);
  const cells: Planned[] = [];
  for (const cell of cellsOf(config)) {
    const fingerprint = await fingerprints.of(cell);
    cells.push({ cell, fingerprint, folder: cellFolder(config.out, cell, fingerprint) });
  }
  const isLinear = cells.some(({ cell }) => cell.kind === 'linear');
  const heldOut = isLinear ? heldOutFolder(config.out, await fingerprints.heldOut()) : '';
  const [{ model = 'unknown' } = {}] = cpus();
  return {
    config,
    cells,
    heldOut,
    about: {
      plan: configName,
      settings: renderConfig(resolved),
      scrl: (require('#package.json') as { version: string }).version,
      tensorflow,
      machine: `${model.trim()}, ${availableParallelism()} cores, ${process.platform} ${process.arch}`,
    },
  };
}

/** The cells, one after the other, and the table as far as it is known. */
class TableProgress {
  readonly #plan: Plan;
  readonly #log: LiveLog;
  readonly #done: Done[] = [];
  readonly #failed: Missing[] = [];

  constructor(plan: Plan, log: LiveLog) {
    this.#plan = plan;
    this.#log = log;
  }

  async compute(signal: AbortSignal | undefined): Promise<ReproduceReport> {
    const { cells, config } = this.#plan;
    for (const { cell, folder, fingerprint } of cells) {
      const result = await readResult(folder, fingerprint);
      if (result !== undefined) this.#done.push({ cell, result });
    }
    const todo = cells.filter(({ cell }) => !this.#isDone(cell));
    this.#log.info(`${cells.length} cells, ${cells.length - todo.length} of them done`);
    let interrupted = false;
    for (const [i, planned] of todo.entries()) {
      this.#log.info(`cell ${i + 1} of ${todo.length}: ${planned.cell.id}, in ${planned.folder}`);
      interrupted = !(await this.#attempt(planned, signal));
      if (interrupted) break;
      await this.#write();
    }
    return { folder: config.out, ...(await this.#write()), failed: this.#failed, interrupted };
  }

  /** @returns false when it was asked to stop */
  async #attempt({ cell, folder, fingerprint }: Planned, signal: AbortSignal | undefined): Promise<boolean> {
    const { config: plan, heldOut } = this.#plan;
    const { needs } = cell;
    if (needs !== undefined && !this.#isDone(needs)) return this.#fail(cell, `needs ${needs.id}`);
    const began = performance.now();
    try {
      const weights = this.#weightsOf(cell);
      const measured = await runCell(cell, { plan, folder, heldOut, weights, signal, log: this.#log });
      if (measured === undefined) return false;
      const seconds = (performance.now() - began) / 1000;
      const result = { id: cell.id, fingerprint, ...measured, seconds, finished: new Date().toISOString() };
      await writeResult(folder, result);
      this.#done.push({ cell, result });
      this.#log.info(`${cell.id}: done in ${formatDuration(seconds)}`);
      return true;
    } catch (error) {
      if (!(error instanceof UserError)) this.#log.debug((error as Error).stack ?? '');
      return this.#fail(cell, errorMessage(error));
    }
  }

  /** One cell less is no reason to lose the others. */
  #fail({ id }: Cell, reason: string): true {
    this.#failed.push({ id, reason });
    this.#log.warn(`${id} failed, the others go on: ${reason}`);
    return true;
  }

  #isDone({ id }: Cell): boolean {
    return this.#done.some(({ cell }) => cell.id === id);
  }

  #weightsOf({ row, needs }: Cell): string | undefined {
    if (row.source.kind === 'weights') return row.source.path;
    return needs && this.#folderOf(needs);
  }

  #folderOf({ id }: Pick<Cell, 'id'>): string {
    return this.#plan.cells.find(({ cell }) => cell.id === id)?.folder ?? '';
  }

  async #write(): Promise<{ table: ResultsTable; text: string }> {
    const { config, cells, about } = this.#plan;
    const waiting = cells
      .filter(({ cell }) => !this.#isDone(cell) && !this.#failed.some(({ id }) => id === cell.id))
      .map(({ cell }) => ({ id: cell.id, reason: 'not computed yet' }));
    const table = makeTable(rowsOf(config), columnsOf(config), this.#done);
    const content = { table, done: this.#done, about: { ...about, missing: [...this.#failed, ...waiting] } };
    await writeResultsFiles(config.out, content);
    await writeFileAtomic(
      join(config.out, 'results.html'),
      await resultsPage(content, ({ cell }) => this.#folderOf(cell)),
    );
    return { table, text: markdown(content) };
  }
}
