/** What is in a file of weights. */

import { findBackbones, placeOf, tensorGroups } from '../../checkpoint/find-backbones.js';
import { openWeights } from '../../checkpoint/open-weights.js';
import type { StateDict } from '../../checkpoint/state-dict.js';
import { matches, takeModel } from '../../checkpoint/take-model.js';
import { statisticsOf, type TensorStatistics } from '../../checkpoint/tensor-statistics.js';
import { fingerprint } from '../../checkpoint/write-weights.js';
import { UserError } from '../../core/errors.js';
import { type LiveLog, SILENT } from '../../core/log.js';
import { type FileValue, isTensor, PyFloat, PyOpaque } from '../../formats/value.js';
import { Progress } from '../../report/progress.js';

export interface InspectOptions {
  /** Only tensors of these names; `*` stands for any text. */
  readonly filter?: string | undefined;
  readonly log?: LiveLog;
}

export interface Network {
  readonly place: string;
  readonly family: string;
  readonly architecture: string;
  readonly role: string;
  readonly names: string;
  readonly detector?: { readonly spelling: string; readonly classes: number };
  readonly complete: boolean;
}

export interface Inspection {
  readonly path: string;
  readonly format: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly networks: readonly Network[];
  readonly tensors: readonly ({ name: string } & TensorStatistics)[];
  /** Plain values beside the tensors, by their whole name. */
  readonly values: Readonly<Record<string, string>>;
  readonly metadata: Readonly<Record<string, string>>;
  /** Tensors of element types that are not read. */
  readonly unsupported: Readonly<Record<string, string>>;
}

/** @throws UserError when the file is missing or damaged, or the filter fits no tensor */
export async function inspect(
  file: string,
  { filter, log = SILENT }: InspectOptions = {},
): Promise<Inspection> {
  const { path, format, value, metadata, unsupported } = await openWeights(file, log);
  const groups = tensorGroups(value);
  const found = findBackbones(groups);
  const networks = found.map((backbone): Network => {
    const { model, account } = takeModel(groups, backbone, found);
    const { family, network: architecture, role, spelling: names } = backbone;
    return {
      place: placeOf(backbone),
      family,
      architecture,
      role,
      names,
      ...(model.detector && {
        detector: { spelling: model.detector.spelling, classes: model.detector.classes },
      }),
      complete: account.missing.length + account.wrong.length === 0,
    };
  });
  const all: StateDict = new Map(
    groups.flatMap((group) => [...group.tensors].map(([key, tensor]) => [group.path + key, tensor])),
  );
  const names = [...all.keys()].filter((name) => filter === undefined || matches(filter, name));
  if (filter !== undefined && names.length === 0) {
    throw new UserError('fits no tensor', {
      where: path,
      key: '--filter',
      value: filter,
      remedy: 'quote the *',
    });
  }
  const progress = new Progress(log, { label: 'inspect', total: names.length, unit: 'tensors' });
  const tensors: Inspection['tensors'][number][] = [];
  for (const [name, tensor] of all) {
    if (filter !== undefined && !matches(filter, name)) continue;
    tensors.push({ name, ...(await statisticsOf(tensor)) });
    progress.update(tensors.length);
  }
  progress.finish();
  return {
    path,
    format,
    ...(await fingerprint(path)),
    networks,
    tensors,
    values: Object.fromEntries(plainValues(value)),
    metadata: Object.fromEntries(metadata),
    unsupported: Object.fromEntries(unsupported),
  };
}

/** Longest list that is shown whole. */
const SHORT = 8;

function* plainValues(value: FileValue, path = ''): Generator<[string, string]> {
  if (isTensor(value)) return;
  const name = path.slice(0, -1);
  if (value instanceof Map) for (const [key, item] of value) yield* plainValues(item, `${path}${key}/`);
  else if (Array.isArray(value)) {
    const isShort =
      value.length <= SHORT && value.every((item) => typeof item !== 'object' || item instanceof PyFloat);
    if (isShort) yield [name, `[${value.join(', ')}]`];
    else if (value.some((item) => item instanceof Map)) {
      for (const [i, item] of value.entries()) yield* plainValues(item, `${path}${i}/`);
    } else yield [name, `list of ${value.length}`];
  } else if (value instanceof Uint8Array) yield [name, `${value.length} bytes`];
  else if (value instanceof PyOpaque) yield [name, `not read: ${value.name}`];
  else yield [name, typeof value === 'string' ? JSON.stringify(value) : String(value)];
}
