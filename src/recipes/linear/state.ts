/** What a linear evaluation saves, so that it goes on as if it had not been stopped. */

import {
  loadModuleState,
  moduleState,
  variableTensor,
  variableValue,
} from '../../checkpoint/module-state.js';
import { stateDictOf } from '../../checkpoint/state-dict.js';
import { loadTensor, toFloat32 } from '../../core/array.js';
import { UserError } from '../../core/errors.js';
import type { VariableValue } from '../../engine/runtime.js';
import { float, numberOf, type TorchDict, type TorchValue } from '../../formats/torch-pth.js';
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
): TorchDict {
  const reader = probe.head.runtime.readAhead(probe.solver.buffers);
  const buffers = probe.trained.map((entry, i): [number, TorchValue] => {
    const buffer = variableTensor(reader, entry, probe.solver.buffers[i]);
    return [i, new Map([['momentum_buffer', buffer]])];
  });
  return new Map<string, TorchValue>([
    ['evaluator_state_dict', moduleState(probe.head, step)],
    ...(finetune ? [['online_network_state_dict', moduleState(probe.backbone, step)] as const] : []),
    ['optimizer_state_dict', new Map([['state', new Map(buffers)]])],
    ['step', step],
    ['identity', new Map<string, TorchValue>(Object.entries(identity))],
    [
      'history',
      history.map(
        ({ epoch, top1, top5, images }) =>
          new Map<string, TorchValue>([
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
  checkpoint: TorchDict,
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
  const optimizer = checkpoint.get('optimizer_state_dict');
  const state = optimizer instanceof Map ? optimizer.get('state') : undefined;
  await probe.head.runtime.writeAll(savedMomentum(probe, state, where));
  const history = checkpoint.get('history');
  return {
    step: numberOf(checkpoint.get('step')) ?? 0,
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

async function* savedMomentum(
  probe: LinearProbe,
  state: TorchValue | undefined,
  where: string,
): AsyncGenerator<VariableValue> {
  for (const [i, entry] of probe.trained.entries()) {
    const saved = state instanceof Map ? state.get(i) : undefined;
    const buffer = stateDictOf(saved ?? null, `${where}, optimizer_state_dict`).get('momentum_buffer');
    if (buffer === undefined) throw new UserError(`lacks the momentum of ${entry.key}`, { where });
    const tensor = toFloat32(await loadTensor(buffer));
    yield variableValue(probe.solver.buffers[i], entry.layout, tensor);
  }
}
