/** `scrl inspect`: what is in a file of weights, or in what two of them differ. */

import { findBackbones, placeOf, tensorGroups } from '../../checkpoint/find-backbones.js';
import { type OpenedWeights, openWeights } from '../../checkpoint/open-weights.js';
import type { StateDict } from '../../checkpoint/state-dict.js';
import { matches, takeModel } from '../../checkpoint/take-model.js';
import { statisticsOf, type TensorStatistics } from '../../checkpoint/tensor-statistics.js';
import { fingerprint } from '../../checkpoint/write-weights.js';
import { formatBytes } from '../../core/clock.js';
import { UserError } from '../../core/errors.js';
import type { LiveLog } from '../../core/log.js';
import { isTensor, PyFloat, PyOpaque, type TorchValue } from '../../formats/torch-pth.js';
import { Progress } from '../../report/progress.js';
import { formatTable } from '../../report/table.js';
import { compareFiles, comparisonText } from './compare.js';

export interface InspectOptions {
  readonly file: string;
  /** Says in what the two differ. */
  readonly other?: string | undefined;
  /** Only tensors of these names; `*` stands for any text. */
  readonly filter?: string | undefined;
  readonly json: boolean;
  readonly log: LiveLog;
  readonly print: (text: string) => void;
}

/** @throws UserError when a file is missing or damaged */
export async function inspect(options: InspectOptions): Promise<void> {
  const { file, other, json, log, print } = options;
  const opened = await openWeights(file, log);
  if (other !== undefined) {
    const comparison = await compareFiles(opened, await openWeights(other, log), log);
    print(json ? JSON.stringify(comparison) : comparisonText(comparison));
    return;
  }
  const report = await describeFile(opened, options);
  print(json ? JSON.stringify(report) : reportText(report));
}

interface Network {
  readonly place: string;
  readonly family: string;
  readonly architecture: string;
  readonly role: string;
  readonly names: string;
  readonly detector?: { readonly spelling: string; readonly classes: number };
  readonly complete: boolean;
}

interface Report {
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

async function describeFile(opened: OpenedWeights, { filter, log }: InspectOptions): Promise<Report> {
  const { path, format, value, metadata, unsupported } = opened;
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
  const tensors: Report['tensors'][number][] = [];
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

function* plainValues(value: TorchValue, path = ''): Generator<[string, string]> {
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

function reportText(report: Report): string {
  const { path, format, bytes, sha256, networks, tensors, values, metadata, unsupported } = report;
  const lines = [`${path}: ${format}, ${formatBytes(bytes)}`, `sha256 ${sha256}`];
  if (networks.length === 0) lines.push('no network that is known');
  for (const { place, family, architecture, role, names, detector, complete } of networks) {
    const whole = complete ? '' : ', incomplete';
    const behind =
      detector === undefined ? '' : `, detector of ${detector.classes} classes (${detector.spelling})`;
    lines.push(
      `${architecture} at ${place === '' ? '(no prefix)' : place}: ${family}, ${role}, names of ${names}${behind}${whole}`,
    );
  }
  const sections: [string, Readonly<Record<string, string>>][] = [
    ['values', values],
    ['metadata', metadata],
    ['of element types that are not read', unsupported],
  ];
  for (const [title, entries] of sections) {
    const rows = Object.entries(entries);
    if (rows.length > 0) lines.push('', `${title}:`, ...rows.map(([key, text]) => `  ${key}: ${text}`));
  }
  const rows = tensors.map(({ name, dtype, shape, min, max, mean, nonFinite }) => [
    name,
    dtype,
    `[${shape.join(', ')}]`,
    number(min),
    number(max),
    number(mean),
    nonFinite === 0 ? '' : String(nonFinite),
  ]);
  const header = ['tensor', 'dtype', 'shape', 'min', 'max', 'mean', 'not finite'];
  return [...lines, '', formatTable(header, rows)].join('\n');
}

function number(value: number | undefined): string {
  return value === undefined ? '-' : String(Number(value.toPrecision(5)));
}
