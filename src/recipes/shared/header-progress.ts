/** How far the reading of image headers has come; no line at all when none are read, as with a cached index. */

import type { LiveLog } from '../../core/log.js';
import { Progress } from '../../report/progress.js';

/** Runs `open` with a function that it calls after each header. */
export async function withHeaderProgress<T>(
  log: LiveLog,
  open: (onProgress: (done: number, total: number) => void) => Promise<T>,
): Promise<T> {
  let progress: Progress | undefined;
  const opened = await open((done, total) => {
    progress ??= new Progress(log, { label: 'reading image headers', total, unit: 'files' });
    progress.update(done);
  });
  progress?.finish();
  return opened;
}
