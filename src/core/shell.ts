/** Command lines as text that a shell reads back as it was. */

const PLAIN = /^[\w@%+=:,./-]+$/;

/** Words for a POSIX shell: what it could take for something else is in quotes. */
export function quoteForShell(words: readonly string[]): string {
  return words.map((word) => (PLAIN.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(' ');
}
