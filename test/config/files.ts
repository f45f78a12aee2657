/** Temporary folders of YAML files, and the text of the error that a call throws. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { UserError } from '../../src/core/errors.js';

/** Writes the files into a folder that is removed after the test, and returns the folder. */
export function folderWith(files: Record<string, string | Uint8Array>): string {
  const folder = mkdtempSync(join(tmpdir(), 'scrl-config-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return folder;
}

/** The message of the UserError that `work` must throw, without `folder` in front of file names. */
export function userErrorOf(work: () => unknown, folder = '\0'): string {
  try {
    work();
  } catch (error) {
    if (error instanceof UserError) return error.message.replaceAll(`${folder}/`, '');
    throw error;
  }
  throw new Error('nothing was thrown');
}
