/** Whether libraries can serve as the engine of this machine, found out without loading them. */

import { UserError } from '../../core/errors.js';
import type { Libraries } from './library-files.js';
import { definedSymbols, libraryMachine } from './shared-library.js';

/** @throws UserError when a library was built for another machine, naming both */
export async function checkMachine({ main, framework }: Libraries): Promise<void> {
  const here = `${process.platform}-${process.arch}`;
  for (const path of framework === undefined ? [main] : [framework, main]) {
    const { platform, arch } = await libraryMachine(path);
    if (`${platform}-${arch}` === here) continue;
    throw new UserError(`is a library for ${platform}-${arch}, but this machine is ${here}`, {
      where: path,
      remedy: 'use the one that was built for this machine',
    });
  }
}

/**
 * Checks the machine, and that every symbol is defined in one of the libraries. On macOS symbols are not checked.
 *
 * @throws UserError naming what is wrong
 */
export async function checkLibraries(libraries: Libraries, symbols: readonly string[]): Promise<void> {
  await checkMachine(libraries);
  let missing = symbols;
  for (const path of [libraries.main, libraries.framework]) {
    if (path === undefined) continue;
    const found = await definedSymbols(path, missing);
    if (found === undefined) return;
    missing = missing.filter((name) => !found.has(name));
  }
  if (missing.length > 0) {
    throw new UserError(
      `lacks ${missing.length} of the ${symbols.length} functions of TensorFlow's C API that are needed, e.g. ${missing[0]}`,
      { where: libraries.main, remedy: 'use TensorFlow 2.9 or later' },
    );
  }
}
