import type { LiveLog } from '../../core/log.js';
import type { InstallProgress } from '../../engine/install/install.js';
import { Progress } from '../../report/progress.js';

const MEGABYTE = 1e6;

/** Shows the stages of an engine installation, each with a bar of its own. */
export function installProgress(log: LiveLog): (progress: InstallProgress) => void {
  let stage: string | undefined;
  let bar: Progress | undefined;
  return (progress) => {
    if (progress.stage !== stage) {
      bar?.finish();
      stage = progress.stage;
      bar = new Progress(log, {
        label: progress.stage,
        unit: 'MB',
        ...(progress.total !== undefined && { total: Math.round(progress.total / MEGABYTE) }),
      });
    }
    bar?.update(Math.round(progress.done / MEGABYTE));
  };
}
