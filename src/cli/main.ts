/**
 * Parses the command line, runs a command, and turns what it throws into text and an exit code: 0 done, 2 a mistake of
 * the user, 1 a bug, 128 + n ended by a signal.
 */

import { createRequire } from 'node:module';
import yargs from 'yargs';
import { UserError } from '../core/errors.js';
import { visible } from '../core/visible.js';
import { cocoEvalCommand } from './commands/coco-eval.js';
import { configCommand } from './commands/config.js';
import { convertCommand } from './commands/convert.js';
import { dataCommand } from './commands/data.js';
import { detectCommand } from './commands/detect.js';
import { engineCommand } from './commands/engine.js';
import { featuresCommand } from './commands/features.js';
import { inspectCommand } from './commands/inspect.js';
import { knnCommand } from './commands/knn.js';
import { linearCommand } from './commands/linear.js';
import { pretrainCommand } from './commands/pretrain.js';
import { previewCommand } from './commands/preview.js';
import { reportCommand, runsCommand } from './commands/report.js';
import { reproduceCommand } from './commands/reproduce.js';
import { showCommand } from './commands/show.js';
import { completions } from './completion.js';
import { HELP_CONFIG } from './config-flags.js';
import { print } from './output.js';
import { NO_COMMAND, parseFailure } from './parse-failure.js';
import { PARSER_SETTINGS } from './parser-settings.js';
import { rejectUnknownFlags } from './unknown-flags.js';

/** How the script of `scrl completion` asks; the command's own name follows. */
const COMPLETE = '--get-yargs-completions';

const require = createRequire(import.meta.url);

export async function main(args: readonly string[]): Promise<void> {
  try {
    const offered = args[0] === COMPLETE ? completions(args.slice(2)) : undefined;
    if (offered !== undefined) return print(offered.join('\n'));
    // yargs shows hidden options with its help only.
    const help = args.includes(`--${HELP_CONFIG}`) ? ['--help'] : [];
    await parser(args).parseAsync([...args, ...help]);
  } catch (error) {
    process.exitCode = report(error);
  }
}

/** The parser with all commands. */
function parser(args: readonly string[]) {
  const all = yargs();
  return (
    all
      .scriptName('scrl')
      .usage('$0 <command> [options]\n\nPretrains detector backbones without labels (SCRL, BYOL).')
      .command(pretrainCommand)
      .command(previewCommand)
      .command(linearCommand)
      .command(detectCommand)
      .command(reproduceCommand)
      .command(convertCommand)
      .command(inspectCommand)
      .command(knnCommand)
      .command(featuresCommand)
      .command(showCommand)
      .command(reportCommand)
      .command(runsCommand)
      .command(cocoEvalCommand)
      .command(dataCommand)
      .command(configCommand)
      .command(engineCommand)
      .completion('completion', 'print a script for the shell that completes options and names of recipes')
      .parserConfiguration(PARSER_SETTINGS)
      .demandCommand(1, NO_COMMAND)
      .strictCommands()
      // Before yargs looks for required options: one that is missing is often one that is misspelt.
      .middleware((argv) => (args[0] === COMPLETE ? undefined : rejectUnknownFlags(argv, all)), true)
      .recommendCommands()
      .version(version())
      .help()
      .alias('h', 'help')
      .wrap(Math.min(110, process.stdout.columns ?? 110))
      .exitProcess(false)
      .showHelpOnFail(false)
      .fail((message, error, usage) => {
        if (message === NO_COMMAND) process.stderr.write(`${usage.help()}\n\n`);
        throw parseFailure(message, error, args, () => String(usage.help()));
      })
  );
}

function version(): string {
  return (require('#package.json') as { version: string }).version;
}

/** @returns the exit code */
function report(error: unknown): number {
  if (error instanceof UserError) {
    process.stderr.write(`error: ${visible(error.message)}\n`);
    return 2;
  }
  process.stderr.write(`${visible(String(error instanceof Error ? error.stack : error))}\n`);
  process.stderr.write(
    'This is a bug in scrl, not a mistake of yours. Please report it with the lines above.\n',
  );
  return 1;
}
