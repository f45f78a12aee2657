/** What the readers of PyTorch's two containers have in common. */

import { damaged } from '../byte-source.js';
import { type Budget, budgetOf, MalformedPickle } from '../pickle/values.js';
import type { FileValue } from '../value.js';

export interface TorchFile {
  readonly value: FileValue;
  /** Classes and functions whose objects were not read. */
  readonly opaque: ReadonlySet<string>;
  /** Reads every byte once. @throws UserError when one is missing or a checksum is wrong */
  verify(): Promise<void>;
}

export const LARGEST_PICKLE = 64 * 2 ** 20;

/** All tensors together may be this many times as large as the file (views, expanded tensors, compression)... */
const LARGEST_GROWTH = 201;
/** ...or this large, if that is more. */
const ALWAYS_GRANTED = 64 * 2 ** 20;

export function tensorBudget(fileSize: number): Budget {
  return budgetOf(Math.max(LARGEST_GROWTH * fileSize, ALWAYS_GRANTED));
}

/** Gives errors that know no place the name of the file. */
export function withPlace<T>(where: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof MalformedPickle) throw damaged(where, `pickle ${error.message}`);
    throw error;
  }
}
