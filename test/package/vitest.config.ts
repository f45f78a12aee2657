import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

/** The packed package in an empty folder: `npm run test:package`; needs a registry of npm packages. */
export default defineConfig({
  test: {
    root: join(import.meta.dirname, '../..'),
    include: ['test/package/**/*.test.ts'],
    pool: 'forks',
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
