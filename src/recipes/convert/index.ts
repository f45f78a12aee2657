/** Any file of weights into any other, with an account of every tensor. */

import { chooseBackbone, requireTorchStyle } from '../../checkpoint/choose-backbone.js';
import { castFloats, type Float, soundOnly } from '../../checkpoint/convert-values.js';
import { DESCRIPTION, detectorDescription } from '../../checkpoint/detector-description.js';
import { placeOf, tensorGroups } from '../../checkpoint/find-backbones.js';
import type { NetworkRole } from '../../checkpoint/names/families.js';
import { type OpenedWeights, openWeights } from '../../checkpoint/open-weights.js';
import type { StateDict } from '../../checkpoint/state-dict.js';
import { type Account, type Model, matches, requireWhole, takeModel } from '../../checkpoint/take-model.js';
import { arrange, backboneOnly, type Convention } from '../../checkpoint/targets.js';
import { writeOnnxBackbone } from '../../checkpoint/write-onnx.js';
import { fingerprint, requireWeightsReplaceable, writeWeights } from '../../checkpoint/write-weights.js';
import { elementCount, type TensorSource } from '../../core/array.js';
import { UserError } from '../../core/errors.js';
import { type LiveLog, SILENT } from '../../core/log.js';
import { type FileDict, type FileValue, isTensor } from '../../formats/value.js';
import { Progress } from '../../report/progress.js';
import { DEVIATION, MEAN } from '../../views/normalization.js';
import type { ConversionReport } from './report.js';
import { type TargetName, targetOf } from './target.js';

export interface ConvertOptions {
  readonly input: string;
  readonly output: string;
  readonly to?: TargetName | undefined;
  /** The network that is trained, or its moving average, where a file has both. */
  readonly network?: NetworkRole | undefined;
  /** The place of the network, exactly. */
  readonly prefix?: string | undefined;
  readonly dtype?: Float | undefined;
  /** Change the kind of file only. */
  readonly keepNames?: boolean;
  /** Leave the rest of a detector behind. */
  readonly backboneOnly?: boolean;
  /** Names of tensors to leave behind; `*` stands for any text. */
  readonly drop?: readonly string[];
  /** Names of tensors that may be left over, missing or not finite; `caffe2`: networks of Caffe2 as they are. */
  readonly allow?: readonly string[];
  /** Do all but write. */
  readonly dryRun?: boolean;
  /** Replace an existing file. */
  readonly overwrite?: boolean;
  /** Gives up; nothing is left behind. */
  readonly signal?: AbortSignal | undefined;
  readonly log?: LiveLog;
}

const DEFAULTS = {
  keepNames: false,
  backboneOnly: false,
  drop: [],
  allow: [],
  dryRun: false,
  overwrite: false,
  log: SILENT,
} as const;

type Settings = ConvertOptions & Required<Pick<ConvertOptions, keyof typeof DEFAULTS>>;

/** @throws UserError when a file is not sound, is not understood without a rest, or cannot be written */
export async function convert(given: ConvertOptions): Promise<ConversionReport> {
  const options: Settings = { ...DEFAULTS, ...given };
  const { input, output, log } = options;
  const target = targetOf(output, options.to);
  if (target.container === 'onnx' && options.keepNames) {
    throw new UserError('goes with no ONNX file, which holds a network', { key: '--keep-names' });
  }
  // Before the work, not after it.
  const { overwrite } = options;
  if (!options.dryRun) await requireWeightsReplaceable(output, { overwrite });
  const opened = await openWeights(input, log);
  if (!options.dryRun) await requireWeightsReplaceable(output, { overwrite, source: opened.path });
  const taken = options.keepNames ? keepAll(opened, options) : await takeNetwork(opened, options);
  const { model, account, network } = taken;
  const isWhole = model?.detector !== undefined && target.container !== 'onnx';
  const convention = target.convention ?? (isWhole ? 'detectron2' : 'torchvision');

  let value = taken.value;
  let { used, dropped } = account;
  if (model !== undefined) {
    const arranged = target.container === 'onnx' ? backboneOnly(model) : arrange(model, convention);
    value = arranged.value;
    dropped = [...dropped, ...arranged.dropped];
    const gone = new Set(arranged.dropped.map(({ name }) => name));
    used = used.filter(({ to }) => !gone.has(to));
  }
  const description = detectorDescription(opened.value);
  // Files of tensors only have no place for it.
  if (isWhole && description !== undefined && ['pth', 'pkl'].includes(target.container)) {
    value = new Map([...value, [DESCRIPTION, description]]);
  }
  const progress = new Progress(log, { label: 'convert', total: 2 * countTensors(value), unit: 'tensors' });
  let done = 0;
  const onLoad = () => {
    options.signal?.throwIfAborted();
    progress.update(++done);
  };
  value = mapGroups(value, (dict) => {
    const cast = options.dtype === undefined ? dict : castFloats(dict, options.dtype);
    return new Map([...cast].map(([key, source]) => [key, watched(source, onLoad)]));
  });
  const report: ConversionReport = {
    input: { path: opened.path, format: opened.format, ...(await fingerprint(opened.path)) },
    ...(network && { network }),
    account: { ...account, used, dropped },
  };
  if (options.dryRun) return report;

  const metadata = new Map([
    ['format', 'pt'],
    ['written_by', 'scrl convert'],
    ['source_sha256', report.input.sha256],
    ...(network ? describeNetwork(network, convention) : []),
  ]);
  const writing = { metadata, overwrite, source: opened.path, signal: options.signal };
  if (target.container === 'onnx') await writeOnnxBackbone(output, tensorsOf(value), input, writing);
  else await writeWeights(output, target.container, value, writing);
  progress.finish();
  return {
    ...report,
    output: {
      path: output,
      format: target.container,
      names: options.keepNames ? 'names as they were' : `names of ${convention}`,
      tensors: countTensors(value),
      ...(await fingerprint(output)),
    },
  };
}

interface Taken {
  readonly value: FileDict;
  readonly account: Account;
  readonly model?: Model;
  readonly network?: NonNullable<ConversionReport['network']>;
}

async function takeNetwork(opened: OpenedWeights, options: Settings): Promise<Taken> {
  const { input, allow } = options;
  const choice = chooseBackbone(opened, {
    ...(options.network && { role: options.network }),
    ...(options.prefix !== undefined && { place: options.prefix }),
  });
  const { chosen, all } = choice;
  const others = all.filter((backbone) => backbone !== chosen).map(placeOf);
  if (!allow.includes('caffe2')) await requireTorchStyle(choice, input);
  const allowed = (name: string) => allow.some((pattern) => matches(pattern, name));
  const groups = choice.groups.map((group) => ({
    ...group,
    tensors: soundOnly(group.tensors, input, group.path, allowed),
  }));
  const { model, account } = takeModel(groups, chosen, all, options);
  requireWhole(account, input, allow);
  const { network: architecture, family, role } = chosen;
  const network = {
    family,
    architecture,
    role,
    place: placeOf(chosen),
    parameters: countParameters(model.backbone),
    ...(model.detector && {
      detector: { spelling: model.detector.spelling, classes: model.detector.classes },
    }),
    others,
  };
  return { value: new Map(model.backbone), account, model, network };
}

/** Everything under the names that it has. */
function keepAll({ value }: OpenedWeights, { drop }: Settings): Taken {
  const isDropped = (name: string) => drop.some((pattern) => matches(pattern, name));
  const dropped = [...value.keys()].map(String).filter(isDropped);
  const kept: FileDict = new Map([...value].filter(([key]) => !isDropped(String(key))));
  const names = tensorGroups(kept).flatMap(({ path, tensors }) =>
    [...tensors.keys()].map((key) => path + key),
  );
  return {
    value: kept,
    account: {
      used: names.map((name) => ({ from: name, to: name })),
      dropped: dropped.map((name) => ({ name, reason: 'dropped as asked' })),
      leftover: [],
      missing: [],
      wrong: [],
    },
  };
}

/** Those that are directly in a dict. */
function tensorsOf(value: FileDict): StateDict {
  const tensors: StateDict = new Map();
  for (const [key, item] of value) if (typeof key === 'string' && isTensor(item)) tensors.set(key, item);
  return tensors;
}

/** Applies a function to the tensors of every dict, however deep. */
function mapGroups(value: FileDict, change: (dict: StateDict) => StateDict): FileDict {
  const changed = change(tensorsOf(value));
  return new Map(
    [...value].map(([key, item]): [string | number, FileValue] => {
      if (item instanceof Map) return [key, mapGroups(item, change)];
      return [key, (typeof key === 'string' && changed.get(key)) || item];
    }),
  );
}

function watched(source: TensorSource, onLoad: () => void): TensorSource {
  const { dtype, shape } = source;
  return {
    dtype,
    shape,
    async load() {
      const tensor = 'data' in source ? source : await source.load();
      onLoad();
      return tensor;
    },
  };
}

function countTensors(value: FileDict): number {
  return tensorGroups(value).reduce((sum, { tensors }) => sum + tensors.size, 0);
}

function countParameters(dict: StateDict): number {
  const isParameter = (key: string) => /\.(weight|bias)$/.test(key) && !key.startsWith('fc.');
  return [...dict].reduce((sum, [key, { shape }]) => sum + (isParameter(key) ? elementCount(shape) : 0), 0);
}

function describeNetwork(
  { family, architecture, place }: NonNullable<ConversionReport['network']>,
  convention: Convention,
): [string, string][] {
  return [
    ['architecture', architecture],
    ['source_family', family],
    ['source_place', place],
    ['names', convention],
    ['channels', 'RGB'],
    ['pixel_mean', JSON.stringify(MEAN)],
    ['pixel_std', JSON.stringify(DEVIATION)],
    ['stride', 'in the 3x3 convolutions'],
  ];
}
