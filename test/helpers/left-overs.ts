import { temporaryName } from '../../src/core/temporary.js';

/** What another process of this machine would name its unfinished file. The digits that are drawn are always the same. */
export function leftBy(pid: number | undefined, path: string, suffix: 'tmp' | 'old' = 'tmp'): string {
  return temporaryName(path, suffix)
    .replace(`.${process.pid}-`, `.${pid}-`)
    .replace(/....\.(tmp|old)$/, '0123.$1');
}
