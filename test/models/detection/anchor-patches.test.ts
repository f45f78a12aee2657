/** The RPN at single anchors is the RPN on whole levels, taken there: at corners, edges and inside, of every level and image. */

import { afterAll, beforeAll, expect, it } from 'vitest';
import { initializeModule } from '../../../src/checkpoint/module-state.js';
import type { Runtime } from '../../../src/engine/runtime.js';
import type { InputSpec } from '../../../src/engine/step.js';
import { anchorPatches, PATCH_SIDE } from '../../../src/models/detection/anchor-patches.js';
import { AnchorGrid } from '../../../src/models/detection/anchors.js';
import {
  fedMatrix,
  matrixSpecs,
  matrixValues,
  poolRegions,
  pyramidCells,
} from '../../../src/models/detection/region-matrix.js';
import { RpnHead } from '../../../src/models/detection/rpn-head.js';
import type { PyramidMaps } from '../../../src/models/neck/fpn.js';
import { ModuleStore } from '../../../src/nn/module-store.js';
import { gather } from '../../../src/ops/gather.js';
import { reshape } from '../../../src/ops/reshape.js';
import type { Tensor } from '../../../src/ops/tf.js';
import { expectClose, randomArray } from '../../helpers/arrays.js';
import { openRuntime } from '../../helpers/engine.js';

let runtime: Runtime;
beforeAll(async () => {
  runtime = await openRuntime();
});
afterAll(() => runtime.close());

const CHANNELS = 4;
const LEVELS = ['p2', 'p3', 'p4', 'p5', 'p6'];

it('gives the same logits and deltas', async () => {
  const grid = new AnchorGrid(64, 96);
  const store = new ModuleStore(runtime, 'rpn');
  const head = new RpnHead(store, '', { channels: CHANNELS, anchors: grid.kinds });
  await initializeModule(store, 1);
  const maps = LEVELS.map((_, i) => [2, grid.levels[i].height, grid.levels[i].width, CHANNELS]);
  // Of both images the first and last anchor of each level, those at the ends of its first row, and some between.
  const ids = grid.levels.flatMap(({ start, width, height }) => {
    const count = width * height * grid.kinds;
    return [0, width * grid.kinds - 1, width * grid.kinds, Math.floor(count / 2), count - 1].map(
      (id) => start + (id % count),
    );
  });
  const anchors = [Int32Array.from(ids), Int32Array.from(ids.reverse())];
  const { rows, kinds } = anchorPatches(anchors, grid);
  const inputs: Record<string, InputSpec> = {
    ...matrixSpecs('anchors'),
    picked: { type: 'int32', shape: [-1] },
  };
  for (const [i, level] of LEVELS.entries()) inputs[level] = { type: 'float32', shape: maps[i] };
  const step = runtime.compile<string, string>('patches', inputs, (fed) => {
    const levels = LEVELS.map((level) => fed[level]);
    const pyramid = Object.fromEntries(LEVELS.map((level) => [level, fed[level]])) as PyramidMaps;
    const patches = poolRegions(pyramidCells(pyramid), fedMatrix('anchors', fed), PATCH_SIDE);
    const single = head.forwardPatches(patches);
    const outputs: Record<string, Tensor> = {};
    for (const [i, level] of levels.entries()) {
      const { logits, deltas } = head.forward(level);
      outputs[`logits${i}`] = logits;
      outputs[`deltas${i}`] = deltas;
    }
    return {
      ...outputs,
      logits: gather(reshape(single.logits, [-1]), fed.picked),
      deltas: gather(reshape(single.deltas, [-1, 4]), fed.picked),
    };
  });
  const data = Object.fromEntries(
    LEVELS.map((level, i) => [
      level,
      randomArray(
        maps[i].reduce((a, b) => a * b),
        level,
      ),
    ]),
  );
  const picked = kinds.map((kind, s) => s * grid.kinds + kind);
  const out = (await step.run({ ...data, ...matrixValues('anchors', rows), picked })) as Record<
    string,
    Float32Array
  >;
  const literal = (part: 'logits' | 'deltas', width: number) =>
    anchors.flatMap((own, n) =>
      Array.from(own).flatMap((id) => {
        const level = grid.levels.indexOf(grid.placeOf(id).level);
        const { start, width: w, height: h } = grid.levels[level];
        const at = (n * w * h * grid.kinds + id - start) * width;
        return [...out[`${part}${level}`].slice(at, at + width)];
      }),
    );
  expect(out.logits).toHaveLength(2 * ids.length);
  expectClose(out.logits, literal('logits', 1), { absolute: 1e-6 });
  expectClose(out.deltas, literal('deltas', 4), { absolute: 1e-6 });
});
