import type { Log } from '../../core/log.js';
import { hasFonts } from '../../image/overlay.js';

/** On a machine without fonts, as small containers are, names in pictures are rows of frames: the user hears of it once. */
export async function warnWithoutFonts(log: Log): Promise<void> {
  if (await hasFonts()) return;
  log.warn(
    'this machine has no fonts, so names in pictures are not legible; install some, for instance fonts-dejavu-core',
  );
}
