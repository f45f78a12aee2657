/**
 * What is on the disk of a table:
 *
 *     cells/ID-FINGERPRINT/           a run like any other, and when it is done
 *     cells/ID-FINGERPRINT/cell.json  its figures
 *     held_out-FINGERPRINT/           links to the images that choose the classifier's rate
 *     results.md, results.json, results.csv, results.html
 *
 * A cell whose fingerprint is another has another folder: figures of two protocols never meet.
 */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode, UserError } from '../../core/errors.js';
import { writeFileAtomic } from '../../core/replace.js';
import type { Cell } from './cells.js';

/** What a finished cell says. */
export interface CellResult {
  readonly id: string;
  readonly fingerprint: string;
  /** By name, percent. */
  readonly figures: Readonly<Record<string, number>>;
  /** Standard deviation over draws of the validation images, by the same names; of those that were drawn for. */
  readonly noise: Readonly<Record<string, number>>;
  /** What else there is to say: the chosen rate, the protocol. */
  readonly notes: Readonly<Record<string, string | number>>;
  /** Of the process that finished it. */
  readonly seconds: number;
  readonly finished: string;
}

const SHORT = 10;
const FILE = 'cell.json';

export function cellFolder(out: string, { id }: Pick<Cell, 'id'>, fingerprint: string): string {
  return join(out, 'cells', `${id}-${fingerprint.slice(0, SHORT)}`);
}

/** @param fingerprint of the images and of the share that is held out */
export function heldOutFolder(out: string, fingerprint: string): string {
  return join(out, `held_out-${fingerprint.slice(0, SHORT)}`);
}

/** Undefined when it is not done. @throws UserError when the file is damaged, or of another cell */
export async function readResult(folder: string, fingerprint: string): Promise<CellResult | undefined> {
  const path = join(folder, FILE);
  const remedy = 'delete the folder to compute this cell again';
  try {
    const result = JSON.parse(await readFile(path, 'utf8')) as CellResult;
    if (result.fingerprint === fingerprint) return result;
    throw new UserError('is the result of another protocol', { where: path, remedy });
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    if (error instanceof SyntaxError)
      throw new UserError('is damaged', { where: path, remedy, cause: error });
    throw error;
  }
}

export async function writeResult(folder: string, result: CellResult): Promise<void> {
  await writeFileAtomic(join(folder, FILE), `${JSON.stringify(result, null, 2)}\n`);
}
