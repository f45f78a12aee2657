/** Command lines as a shell reads them. */

import { collect, startProcess } from './child-processes.js';

/** The words of a line, by bash. */
export async function wordsOf(line: string): Promise<string[]> {
  const script = `words=(${line}); printf '%s\\0' "\${words[@]}"`;
  const child = startProcess('bash', ['-c', script], { stdio: ['ignore', 'pipe', 'pipe'] });
  const { code, out, err } = await collect(child).ended;
  if (code !== 0) throw new Error(`${line}\n${err}`);
  return out.split('\0').slice(0, -1);
}
