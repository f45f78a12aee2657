/**
 * Thousands of spoilt files, seeded: each is either read or refused with a `UserError`. Any other error, a crash or a long
 * wait would be a hole. Pickles are also spoilt inside intact archives, where no checksum protects the reader.
 */

import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/core/errors.js';
import { RandomStream } from '../../src/core/rng.js';
import { memorySource } from '../../src/formats/byte-source.js';
import { readTorch, writeTorch } from '../../src/formats/torch-pth.js';
import { loadAll } from '../../src/formats/value.js';
import { MemoryFile } from './memory-file.js';
import { mutate } from './mutate.js';
import { randomValue } from './random-value.js';
import { LEGACY_FILE, STATE_DICT_PICKLE, STATE_DICT_STORAGES, torchArchive } from './vectors.js';

async function readOrRefuse(bytes: Uint8Array): Promise<boolean> {
  try {
    await loadAll(await readTorch(memorySource('fuzz.pth', bytes)));
    return true;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    expect(error.message).toMatch(/^fuzz\.pth: /);
    return false;
  }
}

describe('spoilt files', () => {
  it.each([
    ['archives', 1, async () => torchArchive(STATE_DICT_PICKLE, STATE_DICT_STORAGES)],
    ['legacy files', 2, async () => LEGACY_FILE],
    [
      'archives of our own',
      3,
      async () => {
        const file = new MemoryFile();
        const random = new RandomStream(3, 'fuzz value');
        await writeTorch(file, [randomValue(random), randomValue(random), randomValue(random)]);
        return file.bytes;
      },
    ],
  ])('%s are read or refused', async (_, seed, make) => {
    const original = await make();
    expect(await readOrRefuse(original)).toBe(true);
    const random = new RandomStream(Number(seed), 'fuzz');
    let refused = 0;
    for (let i = 0; i < 1500; i++) if (!(await readOrRefuse(mutate(original, random)))) refused++;
    expect(refused).toBeGreaterThan(300);
  });

  it('pickles inside intact archives are read or refused', async () => {
    const random = new RandomStream(4, 'fuzz');
    let refused = 0;
    for (let i = 0; i < 3000; i++) {
      const pickle = mutate(STATE_DICT_PICKLE, random);
      if (!(await readOrRefuse(await torchArchive(pickle, STATE_DICT_STORAGES)))) refused++;
    }
    expect(refused).toBeGreaterThan(1000);
    expect(refused).toBeLessThan(3000);
  });

  it('every truncation of an archive is refused', async () => {
    const original = await torchArchive(STATE_DICT_PICKLE, STATE_DICT_STORAGES);
    for (let length = 0; length < original.length; length++) {
      expect(await readOrRefuse(original.subarray(0, length))).toBe(false);
    }
  });
});
