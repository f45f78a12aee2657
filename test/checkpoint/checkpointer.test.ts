import { spawnSync } from 'node:child_process';
import {
  chmod,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  hasLastCheckpoint,
  listCheckpoints,
  loadCheckpoint,
  saveCheckpoint,
} from '../../src/checkpoint/checkpointer.js';
import { hostTensor, type LazyTensor } from '../../src/core/array.js';
import { UserError } from '../../src/core/errors.js';
import { writeTorch } from '../../src/formats/torch-pth.js';
import { type FileDict, float, loadAll } from '../../src/formats/value.js';
import { MemoryFile } from '../formats/memory-file.js';
import { leftBy } from '../helpers/left-overs.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scrl-checkpoint-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const weights = (seed: number) =>
  hostTensor(
    'float32',
    [64],
    Float32Array.from({ length: 64 }, (_, i) => seed + i),
  );
const state = (epoch: number): FileDict =>
  new Map<string, unknown>([
    ['tag', `${epoch}`],
    ['epoch', epoch],
    ['max_eval_score', float(71)],
    ['online_network_state_dict', new Map([['encoder.0.weight', weights(epoch)]])],
  ]) as FileDict;

const at = (name: string) => join(folder, name);
/** Spoils the elements, not the structure. */
async function spoil(path: string, epoch: number): Promise<void> {
  const bytes = await readFile(path);
  bytes[bytes.indexOf(new Uint8Array(weights(epoch).data.buffer)) + 5] ^= 0x10;
  await writeFile(path, bytes);
}
/** Times far apart, in the order of the names given. */
async function age(...names: string[]): Promise<void> {
  for (const [i, name] of names.entries()) await utimes(at(name), 1000 + i, 1000 + i);
}
/** The id of a process that has ended. */
const deadProcess = () => spawnSync(process.execPath, ['-e', '']).pid;

describe('saveCheckpoint', () => {
  it('writes a file that loads, and points the last link to it by a relative path', async () => {
    const path = await saveCheckpoint(folder, '20', state(20));
    expect(path).toBe(at('checkpoint_20.pth'));
    expect(await readlink(at('checkpoint_last.pth'))).toBe('checkpoint_20.pth');
    await saveCheckpoint(folder, '40', state(40));
    expect(await readlink(at('checkpoint_last.pth'))).toBe('checkpoint_40.pth');
    expect((await readdir(folder)).sort()).toEqual([
      'checkpoint_20.pth',
      'checkpoint_40.pth',
      'checkpoint_last.pth',
    ]);
    const { value } = await loadCheckpoint(folder);
    expect(await loadAll(value)).toEqual(state(40));
  });

  it('makes the folder, and leaves the link alone when told so', async () => {
    const run = at('a/b');
    await saveCheckpoint(run, 'best', state(1), { last: false });
    expect(await readdir(run)).toEqual(['checkpoint_best.pth']);
    expect(await hasLastCheckpoint(run)).toBe(false);
    await saveCheckpoint(run, 'best', state(2), { last: false });
    expect((await loadCheckpoint(join(run, 'checkpoint_best.pth'))).value.get('epoch')).toBe(2);
  });

  it('survives a move of the run folder', async () => {
    await saveCheckpoint(at('old'), '1', state(1));
    await rename(at('old'), at('new'));
    expect((await loadCheckpoint(at('new'))).path).toBe(at('new/checkpoint_1.pth'));
  });

  it('detects bytes that changed on the way to the disk, and replaces nothing', async () => {
    await saveCheckpoint(folder, 'best', state(1));
    const broken = state(2);
    const saboteur: LazyTensor = {
      dtype: 'int8',
      shape: [],
      async load() {
        const unfinished = (await readdir(folder)).find((file) => file.endsWith('.tmp'));
        await spoil(at(unfinished ?? ''), 2);
        return hostTensor('int8', [], Int8Array.of(1));
      },
    };
    broken.set('later', saboteur);
    await expect(saveCheckpoint(folder, 'best', broken)).rejects.toThrow(
      /checkpoint_best\.pth: did not arrive on the disk as it was written; nothing was replaced/,
    );
    expect((await loadCheckpoint(folder)).value.get('epoch')).toBe(1);
    expect((await readdir(folder)).sort()).toEqual(['checkpoint_best.pth', 'checkpoint_last.pth']);
  });

  it('keeps everything as it was when a tensor cannot be had', async () => {
    await saveCheckpoint(folder, '1', state(1));
    const lost: LazyTensor = {
      dtype: 'int8',
      shape: [],
      load: () => Promise.reject(new Error('engine gone')),
    };
    await expect(saveCheckpoint(folder, '2', new Map([['w', lost]]))).rejects.toThrow('engine gone');
    expect((await readdir(folder)).sort()).toEqual(['checkpoint_1.pth', 'checkpoint_last.pth']);
    expect(await readlink(at('checkpoint_last.pth'))).toBe('checkpoint_1.pth');
  });

  it('says that the disk is full', async () => {
    const full: LazyTensor = {
      dtype: 'int8',
      shape: [],
      load: () => Promise.reject(Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' })),
    };
    const saving = saveCheckpoint(folder, '2', new Map([['w', full]]));
    await expect(saving).rejects.toThrow(
      /checkpoint_2\.pth: no space left on the disk; nothing was replaced/,
    );
    await expect(writeTorch(new MemoryFile(500), state(1))).rejects.toMatchObject({ code: 'ENOSPC' });
    expect(await readdir(folder)).toEqual([]);
  });

  it.skipIf(process.platform !== 'linux')('fails on a device that is full', async () => {
    const device = await open('/dev/full', 'w');
    await expect(writeTorch(device, state(1))).rejects.toMatchObject({ code: 'ENOSPC' });
    await device.close();
  });

  it.skipIf(process.getuid?.() === 0)('says that the folder is read-only', async () => {
    await saveCheckpoint(folder, '1', state(1));
    await chmod(folder, 0o555);
    await expect(saveCheckpoint(folder, '2', state(2))).rejects.toThrow('permission denied or read-only');
    await chmod(folder, 0o755);
    expect((await loadCheckpoint(folder)).value.get('epoch')).toBe(1);
  });

  it('says that a file stands where the folder should be', async () => {
    await writeFile(at('run'), '');
    await expect(saveCheckpoint(at('run'), '1', state(1))).rejects.toThrow(
      'a file stands where a folder is needed',
    );
  });

  it.each(['last', 'a/b', '', '..\\x'])('refuses the name %j', async (name) => {
    await expect(saveCheckpoint(folder, name, state(1))).rejects.toThrow(
      'a checkpoint cannot have this name',
    );
  });

  it('removes what killed processes left, and nothing else', async () => {
    const dead = deadProcess();
    const kept = ['notes.tmp', leftBy(process.pid, 'checkpoint_1.pth'), leftBy(dead, 'other_1.pth')];
    for (const name of [...kept, leftBy(dead, 'checkpoint_1.pth'), leftBy(dead, 'checkpoint_last.pth')]) {
      await writeFile(at(name), 'half');
    }
    await saveCheckpoint(folder, '1', state(1));
    expect((await readdir(folder)).sort()).toEqual(
      [...kept, 'checkpoint_1.pth', 'checkpoint_last.pth'].sort(),
    );
  });

  it('moves a file in place of the link aside instead of deleting it', async () => {
    await saveCheckpoint(at('source'), '1', state(1));
    const lines: string[] = [];
    await writeFile(at('checkpoint_last.pth'), await readFile(at('source/checkpoint_1.pth')));
    expect((await loadCheckpoint(folder)).path).toBe(at('checkpoint_last.pth'));
    const log = { info() {}, debug() {}, warn: (line: string) => lines.push(line) };
    await saveCheckpoint(folder, '2', state(2), { log });
    expect(await readlink(at('checkpoint_last.pth'))).toBe('checkpoint_2.pth');
    expect((await loadCheckpoint(at('checkpoint_imported_1.pth'))).value.get('epoch')).toBe(1);
    expect(lines).toEqual([
      `${at('checkpoint_last.pth')} was a file, not a link; it is now ${at('checkpoint_imported_1.pth')}`,
    ]);
  });
});

describe('listCheckpoints', () => {
  it('lists newest first, without the link, larger epochs first when times are equal', async () => {
    for (const epoch of [9, 10, 100]) await saveCheckpoint(folder, `${epoch}`, state(epoch));
    await saveCheckpoint(folder, 'best', state(3));
    await mkdir(at('checkpoint_folder.pth'));
    await age('checkpoint_100.pth', 'checkpoint_9.pth', 'checkpoint_best.pth');
    await utimes(at('checkpoint_10.pth'), 1000, 1000);
    const names = (await listCheckpoints(folder)).map(({ name }) => name);
    expect(names).toEqual(['best', '9', '100', '10']);
    expect(await listCheckpoints(at('none'))).toEqual([]);
  });
});

describe('loadCheckpoint', () => {
  beforeEach(async () => {
    for (const epoch of [20, 40, 60]) await saveCheckpoint(folder, `${epoch}`, state(epoch));
    await age('checkpoint_20.pth', 'checkpoint_40.pth', 'checkpoint_60.pth');
  });

  const whole = (...epochs: number[]) =>
    `whole checkpoints in the folder, newest first: ${epochs.map((epoch) => at(`checkpoint_${epoch}.pth`)).join(', ')}`;

  it('takes a file or a folder', async () => {
    expect((await loadCheckpoint(folder)).value.get('epoch')).toBe(60);
    expect((await loadCheckpoint(at('checkpoint_20.pth'))).value.get('epoch')).toBe(20);
    expect((await loadCheckpoint(at('checkpoint_last.pth'))).value.get('epoch')).toBe(60);
  });

  it('names the whole ones when the link points nowhere', async () => {
    await rm(at('checkpoint_60.pth'));
    expect(await hasLastCheckpoint(folder)).toBe(true);
    await expect(loadCheckpoint(folder)).rejects.toThrow(
      `${at('checkpoint_last.pth')}: points to checkpoint_60.pth, which does not exist\n  ${whole(40, 20)}`,
    );
  });

  it('names the whole ones when the file is cut off', async () => {
    await truncate(at('checkpoint_60.pth'), 900);
    await expect(loadCheckpoint(folder)).rejects.toThrow(
      new RegExp(
        `checkpoint_60.pth: the end of the archive is missing: the file is cut off(.|\n)*${whole(40, 20)}`,
      ),
    );
  });

  it('notices a single changed bit in the weights, also when naming others', async () => {
    await spoil(at('checkpoint_60.pth'), 60);
    await spoil(at('checkpoint_40.pth'), 40);
    const loading = loadCheckpoint(folder);
    await expect(loading).rejects.toThrow(UserError);
    await expect(loading).rejects.toThrow('archive/data/0: checksum is wrong');
    await expect(loading).rejects.toThrow(whole(20));
  });

  it('names the whole ones when the link or the file is missing', async () => {
    await rm(at('checkpoint_last.pth'));
    await expect(loadCheckpoint(folder)).rejects.toThrow(
      `${folder}: holds no checkpoint_last.pth\n  ${whole(60, 40, 20)}`,
    );
    await expect(loadCheckpoint(at('checkpoint_80.pth'))).rejects.toThrow(
      `${at('checkpoint_80.pth')}: no such file\n  check the path\n  ${whole(60, 40, 20)}`,
    );
    expect(await hasLastCheckpoint(folder)).toBe(false);
  });

  it('says when there is nothing to go back to', async () => {
    await mkdir(at('empty'));
    await expect(loadCheckpoint(at('empty'))).rejects.toThrow(
      'there is no other whole checkpoint in the folder',
    );
    await symlink('checkpoint_1.pth', at('empty/checkpoint_last.pth'));
    await expect(loadCheckpoint(at('empty'))).rejects.toThrow(
      'points to checkpoint_1.pth, which does not exist',
    );
  });

  it('refuses a file that holds no dict', async () => {
    const file = await open(at('checkpoint_list.pth'), 'w');
    await writeTorch(file, [1]);
    await file.close();
    await expect(loadCheckpoint(at('checkpoint_list.pth'))).rejects.toThrow(
      'is no checkpoint: it holds no dict',
    );
  });
});
