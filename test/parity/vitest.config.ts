import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

/** Comparisons with the real PyTorch, TensorBoard and so on: `npm run parity`, with `SCRL_PYTHON` naming a Python that has them. */
export default defineConfig({
  test: {
    root: join(import.meta.dirname, '../..'),
    include: ['test/parity/**/*.test.ts'],
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 600_000,
    hookTimeout: 300_000,
  },
});
