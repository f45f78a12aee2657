import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { requireSpace } from '../../src/core/disk-space.js';

it('asks the disk of the nearest parent that exists', async () => {
  const path = join(tmpdir(), 'not', 'there', 'yet.npz');
  await requireSpace(path, 1, 'unused');
  await expect(requireSpace(path, 1e18, 'write elsewhere')).rejects.toThrow(
    /yet\.npz: .* are needed, but only .* are free\n {2}free some space, or write elsewhere/,
  );
});
