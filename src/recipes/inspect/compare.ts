/** In what two files of weights differ. */

import { sameTensor } from '../../checkpoint/compare-values.js';
import { findBackbones, tensorGroups } from '../../checkpoint/find-backbones.js';
import { type OpenedWeights, openWeights } from '../../checkpoint/open-weights.js';
import type { StateDict } from '../../checkpoint/state-dict.js';
import { takeModel } from '../../checkpoint/take-model.js';
import { differenceOf } from '../../checkpoint/tensor-statistics.js';
import { type LiveLog, SILENT } from '../../core/log.js';
import { Progress } from '../../report/progress.js';

export interface Comparison {
  readonly files: readonly [string, string];
  /** `network` when the files share no name: then the backbones are compared, by torchvision's names. */
  readonly by: 'name' | 'network';
  readonly equal: number;
  readonly onlyFirst: readonly string[];
  readonly onlySecond: readonly string[];
  readonly different: readonly Difference[];
}

export interface Difference {
  readonly name: string;
  /** Element types and shapes, when they differ. */
  readonly types?: readonly [string, string];
  /** Elements that differ, of how many. */
  readonly count?: number;
  readonly elements?: number;
  /** Largest absolute difference, and relative to the largest magnitude in the first file. */
  readonly largest?: number;
  readonly relative?: number;
}

/** @throws UserError when a file is missing or damaged */
export async function compareWeights(
  first: string,
  second: string,
  log: LiveLog = SILENT,
): Promise<Comparison> {
  return compareOpened(await openWeights(first, log), await openWeights(second, log), log);
}

async function compareOpened(a: OpenedWeights, b: OpenedWeights, log: LiveLog): Promise<Comparison> {
  const whole = [tensorsOf(a), tensorsOf(b)] as const;
  const shared = [...whole[0].keys()].some((name) => whole[1].has(name));
  const networks = shared ? [] : [a, b].flatMap((opened) => networkOf(opened) ?? []);
  const [left, right] = networks.length === 2 ? networks : whole;
  const names = [...left.keys()].filter((name) => right.has(name));
  const progress = new Progress(log, { label: 'compare', total: names.length, unit: 'tensors' });
  const different: Difference[] = [];
  for (const [i, name] of names.entries()) {
    const pair = [left.get(name), right.get(name)] as const;
    if (pair[0] === undefined || pair[1] === undefined) continue;
    if (!(await sameTensor(pair[0], pair[1]))) {
      const types = pair.map((tensor) => `${tensor?.dtype} [${tensor?.shape.join(', ')}]`);
      const difference = await differenceOf(pair[0], pair[1]);
      const { different: count, ...rest } = difference ?? { different: undefined };
      different.push({
        name,
        ...(types[0] !== types[1] && { types: [types[0], types[1]] }),
        ...(count !== undefined && { count, ...rest }),
      });
    }
    progress.update(i + 1);
  }
  progress.finish();
  return {
    files: [a.path, b.path],
    by: networks.length === 2 ? 'network' : 'name',
    equal: names.length - different.length,
    onlyFirst: [...left.keys()].filter((name) => !right.has(name)),
    onlySecond: [...right.keys()].filter((name) => !left.has(name)),
    different,
  };
}

function tensorsOf({ value }: OpenedWeights): StateDict {
  const groups = tensorGroups(value);
  return new Map(
    groups.flatMap(({ path, tensors }) => [...tensors].map(([key, tensor]) => [path + key, tensor])),
  );
}

/** The first online backbone, and what is behind it, by the names that all toolkits share here. */
function networkOf({ value }: OpenedWeights): StateDict | undefined {
  const groups = tensorGroups(value);
  const found = findBackbones(groups);
  const chosen = found.find(({ role }) => role === 'online') ?? found[0];
  if (chosen === undefined) return undefined;
  const { model } = takeModel(groups, chosen, found);
  return new Map([...model.backbone, ...(model.detector?.parts ?? [])]);
}
