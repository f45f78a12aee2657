import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { temporaryFolder } from './pictures.js';

const OVERLAY = pathToFileURL(join(import.meta.dirname, '../../dist/src/image/overlay.js')).href;

const folder = await temporaryFolder();

it.runIf(process.platform === 'linux')('notices a machine without fonts', async () => {
  const config = join(folder, 'fonts.conf');
  await writeFile(config, '<?xml version="1.0"?><fontconfig></fontconfig>');
  const script = `import(${JSON.stringify(OVERLAY)}).then((it) => it.hasFonts()).then(console.log)`;
  const env = { ...process.env, FONTCONFIG_FILE: config, FONTCONFIG_PATH: folder };
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', script], { env });
  expect(stdout).toBe('false\n');
});
