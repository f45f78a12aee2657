/** The command lines of all pages have only options that their commands have, and name recipes that are there. */

import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { recipeNames } from '../../src/config/find-recipe.js';
import { runCli } from '../helpers/cli.js';
import { commandsOf } from './commands.js';

const ROOT = join(import.meta.dirname, '../..');
const GROUPS = ['detect'];
const RECIPES = ['', 'detection', 'results'].flatMap((folder) => recipeNames(folder));

const pages = [
  'README.md',
  'CONTRIBUTING.md',
  ...readdirSync(join(ROOT, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];
const lines = [...new Set(pages.flatMap(commandsOf))].filter((line) => line.startsWith('npx scrl '));

const helps = new Map<string, string>();
async function helpOf(command: string): Promise<string> {
  let help = helps.get(command);
  if (help === undefined) {
    const all = ['pretrain', 'preview', 'linear', 'config', 'reproduce', 'detect train', 'detect preview'];
    const option = all.includes(command) ? '--help-config' : '--help';
    const { code, out, err } = await runCli(tmpdir(), [...command.split(' '), option]);
    expect(code, err).toBe(0);
    help = out;
    helps.set(command, help);
  }
  return help;
}

it('there are some', () => {
  expect(lines.length).toBeGreaterThan(40);
});

it.each(lines)('%s', async (line) => {
  const [, , first, second] = line.split(' ');
  const help = await helpOf(GROUPS.includes(first) ? `${first} ${second}` : first);
  for (const [, option] of line.matchAll(/ --([\w/-]+)/g)) {
    expect(option === 'help-config' || help.split(/[\s,]+/).includes(`--${option}`), `--${option}`).toBe(
      true,
    );
  }
  const [, recipe] = / --(?:config|plan) ([a-z]\w*)(?= |$)/.exec(line) ?? [];
  if (recipe !== undefined) expect(RECIPES).toContain(recipe);
});
