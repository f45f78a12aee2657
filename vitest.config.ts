import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/parity/**', 'node_modules/**'],
    // TensorFlow keeps process-wide state (one loaded library, one tfjs engine): each file gets a fresh process.
    pool: 'forks',
    // What a command prints is caught at the streams (test/helpers/cli.ts).
    disableConsoleIntercept: true,
    server: { deps: { external: [/\/dist\//] } },
    testTimeout: 120_000,
    hookTimeout: 300_000,
  },
});
