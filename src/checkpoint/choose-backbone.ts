/** Which of the backbones of a file is meant. */

import { loadTensor, toFloat32 } from '../core/array.js';
import { UserError } from '../core/errors.js';
import { StoredTensor } from '../formats/torch/storage.js';
import type { WeightsStyle } from '../models/backbone/resnet-layers.js';
import {
  type FoundBackbone,
  findBackbones,
  placeOf,
  type TensorGroup,
  tensorGroups,
} from './find-backbones.js';
import type { NetworkRole } from './names/families.js';
import { resnetNames } from './names/resnet.js';
import type { OpenedWeights } from './open-weights.js';

export interface Choice {
  readonly groups: readonly TensorGroup[];
  readonly all: readonly FoundBackbone[];
  readonly chosen: FoundBackbone;
}

export interface ChoiceOptions {
  /** The network that is trained by gradients (the default), or its moving average. */
  readonly role?: NetworkRole;
  /** The place, exactly: path of the dict, slash, prefix of the names. */
  readonly place?: string;
  /** What the command calls the choice of a role, for messages. Default `--network`. */
  readonly roleFlag?: string;
}

/** @throws UserError when there is none, or several and it is not said which; names them */
export function chooseBackbone(opened: OpenedWeights, options: ChoiceOptions = {}): Choice {
  const groups = tensorGroups(opened.value);
  const all = findBackbones(groups);
  const where = opened.path;
  if (all.length === 0) throw noBackbone(where, groups);
  const named = all.filter((backbone) => placeOf(backbone) === options.place);
  const ofRole = withoutAliases(all.filter(({ role }) => role === (options.role ?? 'online')));
  // A file with one network may call it what it likes.
  const fitting =
    options.place !== undefined ? named : all.length === 1 && options.role === undefined ? all : ofRole;
  if (fitting.length === 1) return { groups, all, chosen: fitting[0] };
  const list = all.map((backbone) => `    ${describe(backbone)}`).join('\n');
  const [key, value] =
    options.place === undefined
      ? [options.roleFlag ?? '--network', options.role ?? 'online']
      : ['--prefix', options.place];
  throw new UserError(
    fitting.length === 0 ? `holds no such network; there are\n${list}` : `holds several networks\n${list}`,
    { where, key, value, remedy: 'choose one with --prefix, as it stands above' },
  );
}

/** Modules that a model holds under several names are saved under each, with the same storages: they are one network. */
function withoutAliases(backbones: readonly FoundBackbone[]): FoundBackbone[] {
  return backbones.filter((one, i) => !backbones.slice(0, i).some((earlier) => isAlias(one, earlier)));
}

function isAlias(one: FoundBackbone, other: FoundBackbone): boolean {
  if (one.network !== other.network || one.spelling !== other.spelling) return false;
  return [...resnetNames(one.spelling, one.network).keys()].every((key) => {
    const [a, b] = [one, other].map(({ group, prefix }) => group.tensors.get(prefix + key));
    return a === b || (a instanceof StoredTensor && b instanceof StoredTensor && a.sharesWith(b));
  });
}

function describe(backbone: FoundBackbone): string {
  return `${placeOf(backbone) || '(no prefix)'}  ${backbone.network}, ${backbone.role}, ${backbone.family}`;
}

function noBackbone(where: string, groups: readonly TensorGroup[]): UserError {
  const names = groups.flatMap(({ path, tensors }) => [...tensors.keys()].map((key) => path + key));
  const problem = 'holds no ResNet-18, 34, 50 or 101 whose names are known';
  if (names.some((name) => /(^|\.)(stem\.conv1|conv1)\.0\.weight$|(^|\.)stem\.0\.weight$/.test(name))) {
    return new UserError(`${problem}: its stem has several convolutions (ResNet-D or -V1c)`, {
      where,
      remedy: 'use a checkpoint of the plain architecture',
    });
  }
  if (names.some((name) => /(^|[./])(res_)?conv1(_bn)?_[wsb]$/.test(name))) {
    return new UserError(
      `${problem}: it is one of Caffe2's, with BGR input and the stride in the 1x1 convolutions`,
      {
        where,
        remedy: 'use a checkpoint of torchvision, whose ResNets have the stride in the 3x3',
      },
    );
  }
  const some = names.slice(0, 5).join(', ');
  return new UserError(problem, {
    where,
    remedy:
      names.length === 0 ? 'it holds no tensors at all' : `it holds ${names.length} tensors: ${some}, ...`,
  });
}

/**
 * Detectron2's own networks, from Caffe2, have their statistics folded into the norm: recognisable by a mean of zeros beside
 * weights that were trained. (A network that was never trained has a mean of zeros, and weights of ones.) They take BGR and have
 * the stride in the 1x1 convolutions.
 */
export async function weightsStyleOf({ chosen }: Choice): Promise<WeightsStyle> {
  if (chosen.spelling !== 'detectron2') return 'torch';
  const names = new Map(
    [...resnetNames('detectron2', chosen.network)].map(([theirs, ours]) => [ours, theirs]),
  );
  const isAll = async (key: string, expected: number) => {
    const tensor = chosen.group.tensors.get(`${chosen.prefix}${names.get(key)}`);
    if (tensor === undefined) return false;
    return toFloat32(await loadTensor(tensor)).data.every((value) => value === expected);
  };
  return (await isAll('bn1.running_mean', 0)) && !(await isAll('bn1.weight', 1)) ? 'msra' : 'torch';
}

/** @throws UserError for a network of `msra` style: in our backbones it would give other features, silently */
export async function requireTorchStyle(choice: Choice, where: string): Promise<void> {
  if ((await weightsStyleOf(choice)) === 'torch') return;
  throw new UserError('looks like one of Caffe2: its first norm has a running mean of zeros', {
    where,
    remedy:
      'such networks take BGR and have the stride in the 1x1 convolutions, ours take RGB and have it in the 3x3; `scrl convert --allow caffe2` writes them as they are',
  });
}
