/** What a conversion says of its work. */

import type { Account } from '../../checkpoint/take-model.js';
import type { Convention } from '../../checkpoint/targets.js';

export interface FileReport {
  readonly path: string;
  readonly format: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface ConversionReport {
  readonly input: FileReport;
  /** Undefined when names were kept and nothing was looked for. */
  readonly network?: {
    readonly family: string;
    readonly architecture: string;
    /** Path of the dict, slash, prefix of the names. */
    readonly place: string;
    readonly role: string;
    /** Parameters of the backbone, without statistics. */
    readonly parameters: number;
    /** Toolkit and number of classes, of a whole detector. */
    readonly detector?: { readonly spelling: string; readonly classes: number };
    /** Other networks in the file. */
    readonly others: readonly string[];
  };
  readonly account: Account;
  /** Undefined in a dry run. */
  readonly output?: FileReport & {
    readonly tensors: number;
    readonly names: `names of ${Convention}` | 'names as they were';
  };
}
