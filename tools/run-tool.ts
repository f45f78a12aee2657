/** How tools begin and end: `--help`, options of which a wrong one is a mistake, and mistakes as a line and exit code 2. */

import { type ParseArgsConfig, parseArgs } from 'node:util';
import { errorMessage, UserError } from '../src/core/errors.js';

type OptionsConfig = NonNullable<ParseArgsConfig['options']>;

export interface ToolDefinition<Options extends OptionsConfig> {
  /** What `--help` prints. */
  readonly help: string;
  readonly options: Options;
}

type Values<Options extends OptionsConfig> = ReturnType<
  typeof parseArgs<{ args: string[]; allowPositionals: true; options: Options }>
>['values'];

export interface ToolArguments<Options extends OptionsConfig> {
  readonly values: Values<Options>;
  readonly positionals: readonly string[];
  /** What stands behind `--`, for another program. */
  readonly rest: readonly string[];
}

/** Runs a tool with the arguments of this process. What it throws that is no mistake of the user is thrown on. */
export async function runTool<const Options extends OptionsConfig>(
  { help, options }: ToolDefinition<Options>,
  main: (given: ToolArguments<Options>) => Promise<void>,
): Promise<void> {
  const given = process.argv.slice(2);
  const end = given.includes('--') ? given.indexOf('--') : given.length;
  const args = given.slice(0, end);
  if (args.some((word) => word === '--help' || word === '-h')) {
    process.stdout.write(help);
    return;
  }
  try {
    const parsed = parse(args, options);
    await main({ ...parsed, rest: given.slice(end + 1) });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    process.stderr.write(`error: ${error.message}\n`);
    process.exitCode = 2;
  }
}

function parse<const Options extends OptionsConfig>(args: string[], options: Options) {
  try {
    return parseArgs({ args, allowPositionals: true, options });
  } catch (error) {
    // Behind its first sentence Node speaks of programs in general.
    const [problem] = errorMessage(error).split(/\.\s/);
    throw new UserError(problem, { remedy: 'see --help', cause: error });
  }
}

/** @throws UserError unless there are as many arguments as `what` says: `one folder to create` */
export function requirePositionals(positionals: readonly string[], count: number, what: string): void {
  if (positionals.length === count) return;
  throw new UserError(`give ${what}`, { remedy: 'see --help' });
}

/** @throws UserError unless it is a whole number from `least` on */
export function wholeNumber(name: string, text: string, least = 0): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && Number.isSafeInteger(value)) return value;
  throw new UserError(`must be a whole number from ${least} on`, { key: `--${name}`, value: text });
}
