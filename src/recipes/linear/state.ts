/** What a linear evaluation saves, so that it goes on as if it had not been stopped. */

import { loadModuleState, moduleState } from '../../checkpoint/module-state.js';
import { loadOptimizerState, type Momentum, momentumState } from '../../checkpoint/optimizer-state.js';
import { stateDictOf } from '../../checkpoint/state-dict.js';
import { UserError } from '../../core/errors.js';
import { type FileDict, type FileValue, float, numberOf } from '../../formats/value.js';
import type { LinearProbe } from '../../models/probe/linear-probe.js';
import type { EpochResult } from './results.js';

/** Everything that has to be equal for two parts of a run to be one run. */
export interface LinearIdentity {
  readonly seed: number;
  readonly batch: number;
  readonly steps_per_epoch: number;
  readonly epochs: number;
  readonly classes: number;
  readonly protocol: string;
  /** Hash of the file that the backbone comes from. */
  readonly backbone_sha256: string;
}

export interface LinearProgress {
  /** Steps that were done. */
  readonly step: number;
  readonly history: readonly EpochResult[];
}

export function linearState(
  probe: LinearProbe,
  identity: LinearIdentity,
  { step, history }: LinearProgress,
  finetune: boolean,
): FileDict {
  const momentum = momentumState(probe.head.runtime, momentumOf(probe));
  return new Map<string, FileValue>([
    ['evaluator_state_dict', moduleState(probe.head, step)],
    ...(finetune ? [['online_network_state_dict', moduleState(probe.backbone, step)] as const] : []),
    ['optimizer_state_dict', new Map([['state', momentum]])],
    ['step', step],
    ['identity', new Map<string, FileValue>(Object.entries(identity))],
    [
      'history',
      history.map(
        ({ epoch, top1, top5, images }) =>
          new Map<string, FileValue>([
            ['epoch', epoch],
            ['top1', float(top1)],
            ['top5', float(top5)],
            ['images', images],
          ]),
      ),
    ],
  ]);
}

/**
 * @param where the file, for messages
 * @throws UserError when it belongs to another evaluation
 */
export async function loadLinearState(
  probe: LinearProbe,
  identity: LinearIdentity,
  checkpoint: FileDict,
  where: string,
  finetune: boolean,
): Promise<LinearProgress> {
  const saved = checkpoint.get('identity');
  for (const [key, now] of Object.entries(identity)) {
    const before = saved instanceof Map ? saved.get(key) : undefined;
    if (before === now) continue;
    throw new UserError(`belongs to another evaluation: ${key} was ${before} and is now ${now}`, {
      where,
      remedy: 'add --overwrite to start this evaluation anew, or give the settings of that one',
    });
  }
  await loadModuleState(probe.head, stateDictOf(checkpoint, where, 'evaluator_state_dict'), where);
  if (finetune) {
    await loadModuleState(probe.backbone, stateDictOf(checkpoint, where, 'online_network_state_dict'), where);
  }
  const step = numberOf(checkpoint.get('step')) ?? 0;
  await loadOptimizerState(probe.head.runtime, momentumOf(probe), checkpoint, { where, step });
  const history = checkpoint.get('history');
  return {
    step,
    history: (Array.isArray(history) ? history : []).map((entry) => {
      const number = (key: string) =>
        numberOf(entry instanceof Map ? entry.get(key) : undefined) ?? Number.NaN;
      return {
        epoch: number('epoch'),
        top1: number('top1'),
        top5: number('top5'),
        images: number('images'),
      };
    }),
  };
}

function momentumOf({ trained, solver }: LinearProbe): Momentum[] {
  return trained.map((entry, i) => ({ entry, buffer: solver.buffers[i] }));
}
