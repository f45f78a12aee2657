/**
 * Takes a backbone, or a whole detector, out of a file, and accounts for every tensor of it.
 *
 * Each tensor is used, or stays behind for a reason that is known, or is left over; each that the network needs is there or
 * is missing. Someone has to agree to the last two by name, because a backbone that lacks a layer trains without complaint.
 */

import { type ResNetName, stageChannels } from '../core/architectures.js';
import { loadTensor, type TensorSource } from '../core/array.js';
import { UserError } from '../core/errors.js';
import { nearest } from '../core/nearest.js';
import { SPELLINGS } from '../models/backbone/spellings.js';
import { classCount, fromClassOrder } from './class-rows.js';
import { type FoundBackbone, placeOf, type TensorGroup } from './find-backbones.js';
import { listed } from './listing.js';
import {
  bodyPrefix,
  CLASS_SCORES,
  DETECTOR_NAMES,
  type DetectorName,
  type DetectorSizes,
  detectorKey,
  detectorNames,
  detectorShape,
  detectorSizes,
  requiredDetectorKeys,
} from './names/detector.js';
import { whyLeftBehind } from './names/families.js';
import { CLASSIFIER, classifierShapes, isCounter, resnetNames, resnetShapes } from './names/resnet.js';
import type { StateDict } from './state-dict.js';

export interface Model {
  readonly network: ResNetName;
  /** By torchvision's names, in the order of PyTorch's state dict; with `fc.*` when the file has a classifier. */
  readonly backbone: StateDict;
  readonly detector?: Detector;
}

export interface Detector {
  /** Who spelled the file. */
  readonly spelling: DetectorName;
  /** Without background. */
  readonly classes: number;
  /** What is behind the backbone, by Detectron2's names and in its order of classes. */
  readonly parts: StateDict;
}

/** What became of every tensor; names are whole: path in the file, slash, name. */
export interface Account {
  readonly used: readonly { from: string; to: string }[];
  readonly dropped: readonly { name: string; reason: string }[];
  readonly leftover: readonly string[];
  /** Names as the file would spell them. */
  readonly missing: readonly string[];
  readonly wrong: readonly { name: string; expected: readonly number[]; found: readonly number[] }[];
}

export interface TakeOptions {
  /** Leave the parts of a detector behind the backbone. */
  readonly backboneOnly?: boolean;
  /** Names that are left behind without question; `*` stands for any text. */
  readonly drop?: readonly string[];
}

/** A file, which network of it is wanted, and what around it. */
interface Choice extends TakeOptions {
  readonly groups: readonly TensorGroup[];
  readonly chosen: FoundBackbone;
  readonly others: readonly FoundBackbone[];
  readonly detector: { readonly spelling: DetectorName; readonly prefix: string } | undefined;
}

export function takeModel(
  groups: readonly TensorGroup[],
  chosen: FoundBackbone,
  others: readonly FoundBackbone[],
  options: TakeOptions = {},
): { model: Model; account: Account; sizes: DetectorSizes | undefined } {
  const { network } = chosen;
  const around = options.backboneOnly ? undefined : detectorAround(chosen);
  const choice = { ...options, groups, chosen, others, detector: around };
  const sorted = sortTensors(choice);
  const taken = around && ordered(around.spelling, network, sorted.parts);
  const expected = expectedOf(network, sorted, taken);
  const backbone: StateDict = new Map();
  for (const key of expected.keys()) {
    const tensor = sorted.backbone.get(key);
    if (tensor !== undefined) backbone.set(key, tensor);
  }
  const model = { network, backbone, ...(taken && { detector: taken.detector }) };
  return { model, account: accountOf(model, expected, sorted, choice), sizes: taken?.sizes };
}

/** What became of each tensor of the file; those that are used by our names, in the file's order. */
interface Sorted extends Pick<Account, 'used' | 'dropped' | 'leftover'> {
  /** By torchvision's names. */
  readonly backbone: StateDict;
  /** What is behind the backbone, by Detectron2's names. */
  readonly parts: StateDict;
}

function sortTensors(choice: Choice): Sorted {
  const { groups, chosen, detector } = choice;
  const { network, prefix, spelling, group } = chosen;
  const body = resnetNames(spelling, network);
  const behind = detector === undefined ? new Map<string, string>() : detectorNames(detector.spelling);
  const used: { from: string; to: string }[] = [];
  const dropped: { name: string; reason: string }[] = [];
  const leftover: string[] = [];
  const [backbone, parts]: StateDict[] = [new Map(), new Map()];
  for (const { path, tensors, others: unread } of groups) {
    const inside = path === group.path;
    for (const [key, tensor] of tensors) {
      const name = `${path}${key}`;
      const ours = inside ? body.get(after(prefix, key)) : undefined;
      const part = inside && detector ? behind.get(after(detector.prefix, key)) : undefined;
      const known = ours ?? part;
      const reason = reasonToDrop(name, known, choice);
      if (reason !== undefined) dropped.push({ name, reason });
      else if (known !== undefined) {
        used.push({ from: name, to: known });
        (ours === undefined ? parts : backbone).set(known, isCounter(known) ? scalar(tensor) : tensor);
      } else leftover.push(name);
    }
    // Tensors of kinds that are not read, for the most part: nobody shall think that they were converted.
    if (!inside || prefix === '') continue;
    leftover.push(...unread.filter((key) => key.startsWith(prefix)).map((key) => path + key));
  }
  return { used, dropped, leftover, backbone, parts };
}

/** NumPy makes a list of one of a scalar, and PyTorch takes either for a counter. */
function scalar(tensor: TensorSource): TensorSource {
  if (String(tensor.shape) !== '1') return tensor;
  const { dtype } = tensor;
  return { dtype, shape: [], load: async () => ({ ...(await loadTensor(tensor)), shape: [] }) };
}

/** The rest of a name behind a prefix, or what is no name. */
function after(prefix: string, key: string): string {
  return key.startsWith(prefix) ? key.slice(prefix.length) : '';
}

/** Why a tensor is not used. @param name whole @param known our name, if it is a part of the network */
function reasonToDrop(name: string, known: string | undefined, choice: Choice): string | undefined {
  const { chosen, others, drop, backboneOnly } = choice;
  const { path } = chosen.group;
  if (drop?.some((pattern) => matches(pattern, name))) return 'dropped as asked';
  if (known !== undefined) {
    const isClassifier = (CLASSIFIER as readonly string[]).includes(known);
    return isClassifier && chosen.projects ? 'projection of the method' : undefined;
  }
  // Not a classifier of one layer but an MLP under its name, as in MoCo v2.
  if (chosen.projects && name.startsWith(`${placeOf(chosen)}${SPELLINGS[chosen.spelling].classifier}.`)) {
    return 'projection of the method';
  }
  const other = others.find((backbone) => backbone !== chosen && name.startsWith(placeOf(backbone)));
  if (other !== undefined && placeOf(other) !== '') return `part of another network, ${placeOf(other)}`;
  if (backboneOnly && name.startsWith(path) && !name.startsWith(path + chosen.prefix)) {
    return 'not the backbone';
  }
  return whyLeftBehind(name) ?? (name.startsWith(path) ? undefined : 'outside the state dict of the network');
}

type Shapes = ReadonlyMap<string, readonly number[]>;

/** Shapes of the backbone, of a classifier when there is one, and of the parts of the detector that are there. */
function expectedOf(network: ResNetName, { backbone }: Sorted, taken?: ReturnType<typeof ordered>): Shapes {
  const expected = new Map(resnetShapes(network));
  const classes = backbone.get(CLASSIFIER[0])?.shape[0];
  if (classes !== undefined) {
    for (const [key, shape] of classifierShapes(network, classes)) expected.set(key, shape);
  }
  if (taken === undefined) return expected;
  for (const key of taken.detector.parts.keys()) expected.set(key, detectorShape(key, taken.sizes));
  return expected;
}

function accountOf(model: Model, expected: Shapes, sorted: Sorted, choice: Choice): Account {
  const { used, dropped, leftover } = sorted;
  const spelled = new Map(used.map(({ from, to }) => [to, from]));
  const wrong = [...model.backbone, ...(model.detector?.parts ?? [])].flatMap(([key, { shape }]) => {
    const right = expected.get(key);
    if (right === undefined || String(right) === String(shape)) return [];
    return [{ name: spelled.get(key) ?? key, expected: right, found: shape }];
  });
  return { used, dropped, leftover, missing: missingFrom(expected, sorted, choice), wrong };
}

/** What the network needs and the file lacks, as the file would spell it. */
function missingFrom(expected: Shapes, { backbone, parts }: Sorted, { chosen, detector }: Choice): string[] {
  const { network, prefix, spelling, group } = chosen;
  const names = new Map([...resnetNames(spelling, network)].map(([theirs, ours]) => [ours, theirs]));
  const layers = [...expected.keys()].filter(
    (key) => !backbone.has(key) && !parts.has(key) && !isCounter(key),
  );
  const missing = layers.map((key) => `${group.path}${prefix}${names.get(key) ?? key}`);
  if (detector === undefined) return missing;
  const behind = requiredDetectorKeys(new Set(parts.keys())).filter((key) => !parts.has(key));
  const theirs = (key: string) => `${group.path}${detector.prefix}${detectorKey(detector.spelling, key)}`;
  return [...missing, ...behind.map(theirs)];
}

/** The detector of which this is the backbone, if there is one: the toolkit most of whose names are there. */
function detectorAround({ group, prefix }: FoundBackbone) {
  const candidates = DETECTOR_NAMES.flatMap((spelling) => {
    const body = bodyPrefix(spelling);
    if (!prefix.endsWith(body)) return [];
    const outer = prefix.slice(0, prefix.length - body.length);
    const known = [...detectorNames(spelling).keys()].filter((key) => group.tensors.has(outer + key));
    return known.length === 0 ? [] : [{ spelling, prefix: outer, known: known.length }];
  });
  return candidates.sort((a, b) => b.known - a.known)[0];
}

/** The parts of a detector in Detectron2's order of classes, and the sizes that they should have. */
function ordered(spelling: DetectorName, network: ResNetName, behind: StateDict) {
  const rows = behind.get(`${CLASS_SCORES}.weight`)?.shape[0] ?? 0;
  const classes = classCount(spelling, rows);
  const parts: StateDict = new Map();
  for (const key of detectorNames('detectron2').values()) {
    const tensor = behind.get(key);
    if (tensor !== undefined) parts.set(key, fromClassOrder(spelling, key, tensor, rows));
  }
  return {
    detector: { spelling, classes, parts },
    sizes: detectorSizes(parts, stageChannels(network), classes),
  };
}

/** @param pattern in which `*` stands for any text */
export function matches(pattern: string, name: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`).test(name);
}

/**
 * Requires that everything is accounted for, but for what the user allows.
 *
 * @param where the file
 * @param allow names of tensors that may be left over, missing or of another shape; `*` stands for any text
 * @throws UserError that lists the tensors, with the nearest name that is known
 */
export function requireWhole(account: Account, where: string, allow: readonly string[] = []): void {
  const allowed = (name: string) => allow.some((pattern) => matches(pattern, name));
  const missing = account.missing.filter((name) => !allowed(name));
  const leftover = account.leftover.filter((name) => !allowed(name));
  const wrong = account.wrong.filter(({ name }) => !allowed(name));
  if (missing.length + leftover.length + wrong.length === 0) return;
  const known = [...account.missing, ...account.used.map(({ from }) => from)];
  const lines = [
    ...listed('missing', missing, (name) => withNearest(name, account.leftover)),
    ...listed('left over', leftover, (name) => withNearest(name, known)),
    ...listed('wrong shape', wrong, ({ name, expected, found }) => {
      return `${name}: expected [${expected.join(', ')}], found [${found.join(', ')}]`;
    }),
  ];
  throw new UserError(`does not hold exactly one network that is known\n${lines.join('\n')}`, {
    where,
    remedy:
      'look at it with `scrl inspect`; leave tensors out with --drop NAME, or accept them with --allow NAME',
  });
}

function withNearest(name: string, known: readonly string[]): string {
  const likely = nearest(name, known, 1 / 2);
  return likely === undefined ? name : `${name} (nearest: ${likely})`;
}
