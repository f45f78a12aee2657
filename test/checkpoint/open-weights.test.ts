import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openWeights } from '../../src/checkpoint/open-weights.js';
import { temporaryFolder } from '../image/pictures.js';

const folder = await temporaryFolder();

it('refuses more tensors than any network has, by their number', async () => {
  const entry = { dtype: 'F32', shape: [0], data_offsets: [0, 0] };
  const header = JSON.stringify(
    Object.fromEntries(Array.from({ length: 200_001 }, (_, i) => [`t${i}`, entry])),
  );
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const path = join(folder, 'many.safetensors');
  writeFileSync(path, Buffer.concat([length, Buffer.from(header)]));
  await expect(openWeights(path)).rejects.toThrow(/has 200001 tensors; 200000 is the limit/);
});
