/** How tools end: a mistake of the user is a line and exit code 2, anything else is thrown on. */

import { UserError } from '../src/core/errors.js';

export async function runTool(main: () => Promise<void>): Promise<void> {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    process.stderr.write(`error: ${error.message}\n`);
    process.exitCode = 2;
  }
}
