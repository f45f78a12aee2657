/** Momentum in the form of torch's optimizer, of both solvers: there and back, and what does not fit. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  loadOptimizerState,
  type Momentum,
  optimizerState,
  type ParameterGroup,
} from '../../src/checkpoint/optimizer-state.js';
import { loadTensor, type TensorSource } from '../../src/core/array.js';
import type { Runtime } from '../../src/engine/runtime.js';
import type { FileDict, FileValue } from '../../src/formats/value.js';
import { ModuleStore } from '../../src/nn/module-store.js';
import { Lars } from '../../src/solver/lars.js';
import { ADAPTED } from '../../src/solver/param-groups.js';
import { Sgd } from '../../src/solver/sgd.js';
import { openRuntime } from '../helpers/engine.js';

let runtime: Runtime;
beforeAll(async () => {
  runtime = await openRuntime();
});
afterAll(() => runtime.close());

const OPTIONS = { momentum: 0.9, nesterov: false, weightDecay: 0, trust: 1 };

/** A filter [2, 3, 1, 1] and a bias [2], with a solver of their own. */
function parameters(module: string, Kind: typeof Lars | typeof Sgd): Momentum[] {
  const store = new ModuleStore(runtime, module);
  const zeros = () => undefined;
  store.parameter('conv.weight', 'conv', [2, 3, 1, 1], zeros);
  store.parameter('conv.bias', 'bias', [2], zeros);
  const entries = store.parameters();
  const described = entries.map(({ variable }) => ({ variable, rule: ADAPTED }));
  const solver = new Kind(runtime, described, OPTIONS);
  return entries.map((entry, i) => ({ entry, buffer: solver.buffers[i] }));
}

/** One group for each parameter, the bias first. */
function groupsOf([filter, bias]: readonly Momentum[]): ParameterGroup[] {
  return [bias, filter].map((member, i) => ({ members: [member], settings: { weight_decay: i } }));
}

const membersOf = (momentum: readonly Momentum[]) => groupsOf(momentum).flatMap(({ members }) => members);

async function filled(module: string, Kind: typeof Lars | typeof Sgd): Promise<Momentum[]> {
  const momentum = parameters(module, Kind);
  const [filter, bias] = momentum;
  await runtime.write(filter.buffer, Float32Array.of(0, 1, 2, 3, 4, 5));
  await runtime.write(bias.buffer, Float32Array.of(6, 7));
  return momentum;
}

describe.each([
  ['LARS', Lars],
  ['SGD', Sgd],
] as const)('%s', (name, Kind) => {
  it("is written as torch's optimizer has it", async () => {
    const dict = optimizerState(runtime, groupsOf(await filled(`${name}-written`, Kind)), 1);
    expect(dict.get('param_groups')).toEqual([
      new Map<string, FileValue>([
        ['weight_decay', 0],
        ['params', [0]],
      ]),
      new Map<string, FileValue>([
        ['weight_decay', 1],
        ['params', [1]],
      ]),
    ]);
    const state = dict.get('state') as Map<number, Map<string, TensorSource>>;
    const buffers = [0, 1].map((number) => state.get(number)?.get('momentum_buffer') as TensorSource);
    expect(buffers.map(({ shape }) => shape)).toEqual([[2], [2, 3, 1, 1]]);
    // HWIO [1, 1, 3, 2] inside, OIHW in the file.
    expect([...(await loadTensor(buffers[1])).data]).toEqual([0, 2, 4, 1, 3, 5]);
  });

  it('comes back as it was', async () => {
    const from = await filled(`${name}-from`, Kind);
    const to = parameters(`${name}-to`, Kind);
    const checkpoint: FileDict = new Map([
      ['optimizer_state_dict', optimizerState(runtime, groupsOf(from), 1)],
    ]);
    await loadOptimizerState(runtime, membersOf(to), checkpoint, { where: 'x.pth', step: 1 });
    for (const [i, { buffer }] of to.entries()) {
      expect(await runtime.read(buffer)).toEqual(await runtime.read(from[i].buffer));
    }
  });
});

describe('what does not fit', () => {
  it('no buffers before the first step, and then zeros', async () => {
    const momentum = await filled('early', Sgd);
    const checkpoint: FileDict = new Map([
      ['optimizer_state_dict', optimizerState(runtime, groupsOf(momentum), 0)],
    ]);
    const where = { where: 'x.pth', step: 0 };
    await loadOptimizerState(runtime, membersOf(momentum), checkpoint, where);
    expect([...(await runtime.read(momentum[1].buffer))]).toEqual([0, 0]);
  });

  it('other parameters, and no state at all', async () => {
    const momentum = await filled('odd', Sgd);
    const load = (members: readonly Momentum[], state: FileDict) =>
      loadOptimizerState(runtime, members, state, { where: 'x.pth', step: 3, remedy: 'look again' });
    const checkpoint: FileDict = new Map([
      ['optimizer_state_dict', optimizerState(runtime, groupsOf(momentum), 3)],
    ]);
    await expect(load(momentum.slice(0, 1), checkpoint)).rejects.toThrow(
      'x.pth: optimizer_state_dict: has 2 momentum buffers, but 1 parameters are trained\n  look again',
    );
    await expect(load(momentum, checkpoint)).rejects.toThrow(
      'momentum buffer 0 does not fit conv.weight [2, 3, 1, 1]',
    );
    await expect(load(momentum, new Map())).rejects.toThrow('has no optimizer state');
  });
});
