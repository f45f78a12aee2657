/** The shared run and loop, by a recipe that is nothing but a toy. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadTensor, type TensorSource } from '../../src/core/array.js';
import { UserError } from '../../src/core/errors.js';
import { explainWriteError } from '../../src/core/fs.js';
import type { LiveLog } from '../../src/core/log.js';
import { readTorchFile } from '../../src/formats/torch-pth.js';
import type { FileDict } from '../../src/formats/value.js';
import { LENGTH, type ToyBatch, toyBatch, trainToy } from './toy.js';

let top: string;
const lines: string[] = [];
const log: LiveLog = {
  live: false,
  width: 80,
  info: (text) => lines.push(text),
  warn: (text) => lines.push(`warning: ${text}`),
  debug: () => undefined,
  setLive: () => undefined,
};

beforeAll(async () => {
  top = await mkdtemp(join(tmpdir(), 'scrl-loop-'));
  await trainToy({ folder: at('whole'), log });
});
afterAll(() => rm(top, { recursive: true, force: true }));

const at = (name: string) => join(top, name);
const metrics = (name: string): Record<string, number>[] =>
  readFileSync(join(at(name), 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

async function weights(name: string): Promise<number[]> {
  const state = (await readTorchFile(join(at(name), 'checkpoint_kept.pth'))) as FileDict;
  const model = state.get('model') as Map<string, TensorSource>;
  return Array.from((await loadTensor(model.get('linear.weight') as TensorSource)).data, Number);
}

describe('a run', () => {
  it('learns, and writes every step, events, a checkpoint and its configuration', async () => {
    const losses = metrics('whole');
    expect(losses.map(({ step }) => step)).toEqual([...Array(12).keys()]);
    expect(losses[11].loss).toBeLessThan(losses[0].loss / 3);
    expect(readdirSync(at('whole')).sort()).toEqual(
      expect.arrayContaining(['checkpoint_kept.pth', 'checkpoint_last.pth', 'config.yaml', 'tboard']),
    );
    expect(readdirSync(join(at('whole'), 'tboard'))).toHaveLength(1);
    expect(lines.some((line) => line.startsWith('toy 12/12 in'))).toBe(true);
  });

  it('is free again afterwards, also when a step failed', async () => {
    expect(existsSync(join(at('whole'), 'run.lock'))).toBe(false);
    const step = () => Promise.reject(new Error('no such luck'));
    await expect(trainToy({ folder: at('failed'), log }, { step })).rejects.toThrow('no such luck');
    expect(existsSync(join(at('failed'), 'run.lock'))).toBe(false);
    expect((await trainToy({ folder: at('failed'), log })).step).toBe(12);
    expect(metrics('failed')).toEqual(metrics('whole'));
  });

  it.each([1, 4, 7])('stopped after step %i goes on to the last bit', async (stopAt) => {
    const name = `stopped-${stopAt}`;
    const controller = new AbortController();
    const stop = async () => {
      controller.abort('SIGTERM');
      return {};
    };
    const options = { folder: at(name), log };
    const works = [{ every: { steps: stopAt }, run: stop }];
    const first = await trainToy({ ...options, signal: controller.signal }, { works });
    expect(first).toMatchObject({ step: stopAt, interrupted: true });
    expect(lines).toContain('SIGTERM: saving after this step; again to stop at once');
    expect(await trainToy(options)).toMatchObject({ step: 12, interrupted: false });
    expect(metrics(name)).toEqual(metrics('whole'));
    expect(await weights(name)).toEqual(await weights('whole'));
  });

  it('that was asked to stop before its first step does none', async () => {
    const signal = AbortSignal.abort('SIGINT');
    expect(await trainToy({ folder: at('none'), log, signal })).toMatchObject({ step: 0, interrupted: true });
    expect(readFileSync(join(at('none'), 'metrics.jsonl'), 'utf8')).toBe('');
  });
});

describe('the loop', () => {
  it('does other work when it is due, and adds its figures', async () => {
    const done: number[] = [];
    const controller = new AbortController();
    const note = (always: boolean) => async (step: number) => {
      done.push(always ? step : -step);
      if (step === 8) controller.abort('SIGINT');
      return { [always ? 'sure' : 'perhaps']: step };
    };
    const works = [
      { every: { epochs: 1 }, always: true, run: note(true) },
      { every: { epochs: 1, steps: 3 }, run: note(false) },
    ];
    await trainToy({ folder: at('works'), log, signal: controller.signal }, { works });
    // The one that is not needed is left out when the run is about to stop.
    expect(done).toEqual([-3, 4, -4, -6, 8]);
    expect(metrics('works')[3]).toMatchObject({ step: 3, sure: 4, perhaps: 4 });
  });

  it('makes the next batch while a step runs, over the end of an epoch too', async () => {
    const events: string[] = [];
    async function* batches(epoch: number, firstStep: number) {
      for (let place = firstStep; place < LENGTH.stepsPerEpoch; place++) {
        events.push(`make ${epoch * LENGTH.stepsPerEpoch + place}`);
        yield toyBatch(epoch, place);
      }
    }
    const step = async (_: ToyBatch, at: { step: number }) => {
      await new Promise((wake) => setTimeout(wake, 1));
      events.push(`ran ${at.step}`);
      return { loss: 1 };
    };
    await trainToy({ folder: at('ahead'), log }, { batches, step });
    for (let i = 1; i < LENGTH.totalSteps; i++) {
      expect(events.indexOf(`make ${i}`)).toBeLessThan(events.indexOf(`ran ${i - 1}`));
    }
    expect(events.filter((event) => event.startsWith('make'))).toHaveLength(LENGTH.totalSteps);
  });

  it('names a file that could not be decoded once, and reports it', async () => {
    async function* batches(epoch: number) {
      for (let place = 0; place < LENGTH.stepsPerEpoch; place++) {
        yield { ...toyBatch(epoch, place), replaced: [{ path: 'a.jpg', reason: 'cut off' }] };
      }
    }
    const { undecodable } = await trainToy({ folder: at('replaced'), log }, { batches });
    expect(undecodable).toEqual([{ path: 'a.jpg', reason: 'cut off' }]);
    expect(lines).toContain('warning: files that could not be decoded: 1');
    expect(lines.filter((line) => line.includes('a.jpg'))).toEqual([
      'warning: a.jpg: cut off; another image takes its place',
    ]);
  });

  it('stops at a loss that is no number, and keeps the batch', async () => {
    const step = async (_: ToyBatch, { step }: { step: number }) => ({ loss: step === 6 ? Number.NaN : 1 });
    const failed = trainToy({ folder: at('nan'), log }, { step });
    await expect(failed).rejects.toThrow(
      /the loss of step 6 is NaN; training was stopped[\s\S]*try something/,
    );
    expect(readdirSync(at('nan')).filter((name) => name.startsWith('nonfinite'))).toEqual([
      'nonfinite_step_6.json',
      'nonfinite_step_6.pth',
    ]);
    const facts = JSON.parse(readFileSync(join(at('nan'), 'nonfinite_step_6.json'), 'utf8'));
    expect(facts).toEqual({ step: 6, outputs: { loss: 'NaN' }, kind: 'toy' });
    const kept = (await readTorchFile(join(at('nan'), 'nonfinite_step_6.pth'))) as FileDict;
    expect((await loadTensor(kept.get('x') as TensorSource)).data).toEqual(toyBatch(1, 2).x);
    // What was saved is from before it.
    const last = (await readTorchFile(join(at('nan'), 'checkpoint_last.pth'))) as FileDict;
    expect(last.get('step')).toBe(5);
  });

  it('says which epoch has no batches, in place of asking for ever', async () => {
    async function* batches(): AsyncGenerator<ToyBatch, void, void> {}
    await expect(trainToy({ folder: at('empty'), log }, { batches })).rejects.toThrow('epoch 0 has no batch');
  });

  it('saves what it has before it gives up when other work fails', async () => {
    const works = [{ every: { steps: 7 }, run: () => Promise.reject(new Error('cannot be judged')) }];
    await expect(trainToy({ folder: at('judged'), log }, { works })).rejects.toThrow('cannot be judged');
    expect(metrics('judged')).toEqual(metrics('whole').slice(0, 7));
    await trainToy({ folder: at('judged'), log });
    expect(metrics('judged')).toEqual(metrics('whole'));
  });

  it('saves what it has before it gives up when there is no next batch', async () => {
    async function* batches(epoch: number) {
      for (let place = 0; place < LENGTH.stepsPerEpoch; place++) {
        if (epoch === 1 && place === 3) throw new UserError('the images are gone');
        yield toyBatch(epoch, place);
      }
    }
    await expect(trainToy({ folder: at('gone'), log }, { batches })).rejects.toThrow('the images are gone');
    const last = (await readTorchFile(join(at('gone'), 'checkpoint_last.pth'))) as FileDict;
    expect(last.get('step')).toBe(7);
  });

  it('goes on when a checkpoint does not fit, and not when the last one does not', async () => {
    const full = () => explainWriteError('x.pth', Object.assign(new Error('full'), { code: 'ENOSPC' }));
    const tried: string[] = [];
    const save = async (step: number, kind: string) => {
      tried.push(`${kind} ${step}`);
      throw full();
    };
    const saves = { kept: { steps: 8, last: true }, rolling: { steps: 5 } };
    await expect(trainToy({ folder: at('full'), log }, { save, saves })).rejects.toThrow('no space left');
    expect(tried).toEqual(['rolling 5', 'kept 8', 'rolling 10', 'kept 12']);
    expect(lines.filter((line) => line.includes('training goes on'))).toHaveLength(3);
  });
});
