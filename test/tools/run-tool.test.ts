/** Every tool says how it is used, and refuses what it does not know, before it does anything. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { collect, startProcess } from '../helpers/child-processes.js';

const ROOT = join(import.meta.dirname, '../..');
/** Part of the build, and a module that the tools share. */
const NO_TOOLS = ['bundle-tfjs.ts', 'run-tool.ts'];
const tools = [
  ...readdirSync(join(ROOT, 'tools')).filter((name) => name.endsWith('.ts') && !NO_TOOLS.includes(name)),
  'bench/main.ts',
].map((name) => name.replace('.ts', ''));

function run(tool: string, ...args: string[]) {
  const file = join(ROOT, 'dist/tools', `${tool}.js`);
  return collect(startProcess(process.execPath, [file, ...args], { stdio: ['ignore', 'pipe', 'pipe'] }))
    .ended;
}

describe.each(tools)('%s', (tool) => {
  it('--help has an example', async () => {
    const out = expect.stringMatching(/\nExamples?\n {2}\S/);
    expect(await run(tool, '--help')).toEqual({ code: 0, out, err: '' });
  });

  it('refuses an option that it does not have', async () => {
    const err = expect.stringMatching(/^error: Unknown option '--no-such'.*\n {2}see.* --help\n$/);
    expect(await run(tool, '--no-such')).toEqual({ code: 2, out: '', err });
  });
});

it.each([
  [
    'make-shapes',
    ['out', '--train', '1.5'],
    'error: --train: must be a whole number from 0 on (found "1.5")',
  ],
  ['make-coco', [], 'error: give one folder to create'],
  ['profile-step', ['--batch', '0'], 'error: --batch: must be a whole number from 1 on'],
  ['kill-resume', ['--kills', '3'], 'error: give the flags of the pretraining behind --'],
  ['loss-compare', ['HEAD', '--epochs', '-1'], 'error: '],
  ['start', ['FOLDER'], 'error: give options only'],
])('%s %j', async (tool, args, err) => {
  expect(await run(tool, ...args)).toEqual({ code: 2, out: '', err: expect.stringContaining(err) });
});

it('tools begin with runTool, by which they have all this', () => {
  for (const tool of tools.filter((name) => name !== 'bench/main')) {
    expect(readFileSync(join(ROOT, 'tools', `${tool}.ts`), 'utf8'), tool).toMatch(
      /^await runTool\(\{ help: HELP, /m,
    );
  }
});
