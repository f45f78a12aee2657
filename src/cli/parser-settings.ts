/** How yargs reads the command line: options keep their spelling, values stay texts, of a repeated option the last counts. */

export const PARSER_SETTINGS = {
  'boolean-negation': false,
  'camel-case-expansion': false,
  'dot-notation': false,
  'duplicate-arguments-array': false,
  'parse-numbers': false,
  'parse-positional-numbers': false,
};
