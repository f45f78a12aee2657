/** The command that was given, to be given again. */

/**
 * The command that was given, with other values for some options.
 *
 * @param argv as yargs parsed it: options that were not given are undefined, or have their default
 * @param changes values that take the place of those; undefined leaves an option out
 */
export function commandAgain(
  argv: Readonly<Record<string, unknown>>,
  changes: Readonly<Record<string, string | undefined>>,
): string[] {
  const { _: words, $0: _name, ...options } = { ...argv, ...changes };
  const flags = Object.entries(options).flatMap(([name, value]) => {
    if (value === undefined || value === false) return [];
    return value === true ? [`--${name}`] : [`--${name}`, String(value)];
  });
  return ['scrl', ...(words as readonly unknown[]).map(String), ...flags];
}
