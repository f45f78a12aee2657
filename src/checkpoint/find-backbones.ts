/**
 * Finds the ResNets in a file of weights: in which dict, under which prefix, spelled how.
 *
 * A backbone is where the filters of a first convolution are, and around it most of the names of one of our networks. So a
 * prefix need not be known; what it means, if it is known, stands in `names/families.ts`.
 */

import { RESNET_NAMES, type ResNetName } from '../core/architectures.js';
import { type FileValue, isTensor } from '../formats/value.js';
import type { SpellingName } from '../models/backbone/spellings.js';
import { fromCaffe2, isCaffe2 } from './names/caffe2.js';
import { familyOf, type NetworkRole, roleOf } from './names/families.js';
import { isCounter, resnetNames, SPELLING_NAMES, stemKey } from './names/resnet.js';
import type { StateDict } from './state-dict.js';

/** A dict of the file with the tensors that are directly in it. */
export interface TensorGroup {
  /** Keys that lead to it, joined by `/` and followed by one; empty for the file itself. */
  readonly path: string;
  readonly tensors: StateDict;
  /** Names that hold something else than a tensor. */
  readonly others: readonly string[];
}

export interface FoundBackbone {
  readonly group: TensorGroup;
  /** Of the names within the group; ends with a dot unless it is empty. */
  readonly prefix: string;
  readonly spelling: SpellingName;
  readonly network: ResNetName;
  /** What the place says of the toolkit. */
  readonly family: string;
  readonly role: NetworkRole;
  /** An `fc` behind the backbone is a projection, no classifier. */
  readonly projects: boolean;
}

/** Path and prefix in one text, as messages and `--prefix` have it. */
export function placeOf({ group, prefix }: Pick<FoundBackbone, 'group' | 'prefix'>): string {
  return `${group.path}${prefix}`;
}

const DEEPEST = 8;

/** All dicts that hold a tensor, in the order of the file. */
export function tensorGroups(value: FileValue, path = '', depth = 0): TensorGroup[] {
  if (!(value instanceof Map) || depth > DEEPEST) return [];
  const tensors: StateDict = new Map();
  const others: string[] = [];
  const inner: TensorGroup[] = [];
  for (const [key, item] of value) {
    if (isTensor(item)) tensors.set(withoutCompiler(String(key)), item);
    else if (item instanceof Map) inner.push(...tensorGroups(item, `${path}${key}/`, depth + 1));
    else others.push(String(key));
  }
  if (tensors.size === 0) return inner;
  return [{ path, tensors: isCaffe2(tensors) ? fromCaffe2(tensors) : tensors, others }, ...inner];
}

/** `torch.compile` puts a module of its own around what it compiles, anywhere in a path. */
function withoutCompiler(key: string): string {
  return key.replaceAll('_orig_mod.', '');
}

/** Every backbone, in the order of the file. */
export function findBackbones(groups: readonly TensorGroup[]): FoundBackbone[] {
  return groups.flatMap((group) => {
    const byPrefix = new Map<string, { backbone: FoundBackbone; matched: number }>();
    for (const spelling of SPELLING_NAMES) {
      for (const prefix of stemPrefixes(group.tensors, stemKey(spelling))) {
        const { network, matched, expected } = likeliestNetwork(group.tensors, prefix, spelling);
        if (matched <= expected / 2 || matched <= (byPrefix.get(prefix)?.matched ?? 0)) continue;
        const place = group.path.endsWith('/') ? `${group.path}${prefix}` : `/${prefix}`;
        const { name: family, projects } = familyOf(place);
        const role = roleOf(place);
        const backbone = { group, prefix, spelling, network, family, projects, role };
        byPrefix.set(prefix, { backbone, matched });
      }
    }
    return [...byPrefix.values()].map(({ backbone }) => backbone);
  });
}

/** What stands before the name of a first convolution that takes images of three channels. */
function stemPrefixes(tensors: StateDict, stem: string): string[] {
  return [...tensors].flatMap(([key, { shape }]) => {
    const isStem = key === stem || key.endsWith(`.${stem}`);
    return isStem && shape.length === 4 && shape[1] === 3 ? [key.slice(0, key.length - stem.length)] : [];
  });
}

/** The network of which most names are there; of two, the one that lacks less. */
function likeliestNetwork(tensors: StateDict, prefix: string, spelling: SpellingName) {
  const scores = RESNET_NAMES.map((network) => {
    const names = [...resnetNames(spelling, network)].filter(([, ours]) => !isCounter(ours));
    const matched = names.filter(([theirs]) => tensors.has(prefix + theirs)).length;
    return { network, matched, expected: names.length };
  });
  return scores.reduce((best, score) =>
    score.matched > best.matched || (score.matched === best.matched && score.expected < best.expected)
      ? score
      : best,
  );
}
