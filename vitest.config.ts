import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

const TESTS = join(import.meta.dirname, 'test');
const NEEDS_A_PROCESS = /(node:child_process|\/helpers\/engine\.js|\/tools\/bench\/bench-process\.js)$/;

const files = readdirSync(TESTS, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.ts') && !/^(parity|package)\b/.test(name))
  .map((name) => join(TESTS, name));

/** A file says where it belongs by what it imports, itself or through others in `test/`. */
function isEngine(path: string): boolean {
  return [...readFileSync(path, 'utf8').matchAll(/^(?:import|export|\}).* from '(.+)';$/gm)].some(
    ([, name]) => {
      const file = join(path, '..', name.replace(/\.js$/, '.ts'));
      return NEEDS_A_PROCESS.test(name) || (name.startsWith('.') && file.startsWith(TESTS) && isEngine(file));
    },
  );
}

export default defineConfig({
  test: {
    // Vitest leaves one core free, which of two is half. Each worker may take 2 GB.
    maxWorkers: Math.min(availableParallelism(), 4),
    testTimeout: 120_000,
    hookTimeout: 300_000,
    // What a command prints is caught at the streams (test/helpers/cli.ts).
    disableConsoleIntercept: true,
    server: { deps: { external: [/\/dist\//] } },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: files.filter((path) => !isEngine(path)),
          pool: 'threads',
          isolate: false,
          // Who asks for TensorFlow here is in the wrong project, and hears of it.
          env: { SCRL_TENSORFLOW: 'unit tests have no TensorFlow' },
        },
      },
      {
        extends: true,
        test: {
          name: 'engine',
          include: files.filter((path) => isEngine(path)),
          globalSetup: 'test/helpers/no-process-left.ts',
          // TensorFlow keeps process-wide state (one loaded library, one tfjs engine): each file gets a fresh process.
          pool: 'forks',
        },
      },
    ],
  },
});
