/** Downloads a wheel where there is no pip, from the index that pip would use (PEP 503). */

import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '../../core/errors.js';
import { Fetcher, withoutSecrets } from './http.js';
import { pipSettings } from './pip-settings.js';
import { saveFile } from './save-file.js';

export interface WheelDownload {
  /** Name on the index. */
  name: string;
  /** File that is looked for. */
  wheel: string;
  /** Where it goes. */
  folder: string;
  /** About how much will come. */
  expectedBytes: number;
  onProgress: (done: number, total: number) => void;
  /** What to do when it fails, as an instruction. */
  remedy: string;
}

/** @returns the path of the wheel, whose content is not checked here @throws UserError */
export async function downloadWheel(
  { name, wheel, folder, expectedBytes, onProgress, remedy }: WheelDownload,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<string> {
  const settings = await pipSettings(env);
  const fetcher = new Fetcher(settings, env);
  try {
    const link = await findLink(fetcher, settings.indexes, name, wheel);
    const path = join(folder, wheel);
    let total = expectedBytes;
    let done = 0;
    const bytes = link.startsWith('file:')
      ? (createReadStream(fileURLToPath(link)) as AsyncIterable<Buffer>)
      : fetcher.bytes(link, (size) => {
          total = size;
        });
    await saveFile(
      path,
      async (consume) => {
        for await (const piece of bytes) await consume(piece);
      },
      (count) => {
        done += count;
        onProgress(done, Math.max(total, done));
      },
    );
    return path;
  } catch (error) {
    if (error instanceof UserError) throw error.with({ remedy: `install Python with pip; or ${remedy}` });
    throw error;
  }
}

/** The address of a file on the first index that has it. As for pip, one that cannot be reached is no reason to leave out the others. */
async function findLink(
  fetcher: Fetcher,
  indexes: readonly string[],
  name: string,
  wheel: string,
): Promise<string> {
  let problem: UserError | undefined;
  for (const index of indexes) {
    try {
      const page = await fetcher.text(`${index.replace(/\/$/, '')}/${name}/`);
      const link = page && linkTo(wheel, page);
      if (link !== undefined) return withSecretsOf(index, link);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      problem ??= error;
    }
  }
  throw (
    problem ??
    new UserError('is on none of the package indexes that pip is configured with', {
      where: wheel,
      value: indexes.map(withoutSecrets),
    })
  );
}

function linkTo(wheel: string, { text, url: base }: { text: string; url: string }): URL | undefined {
  for (const [, href] of text.matchAll(/<a\s[^>]*?href\s*=\s*["']([^"']+)["']/gi)) {
    const url = new URL(href.replaceAll('&amp;', '&'), base);
    url.hash = '';
    if (decodeURIComponent(url.pathname).endsWith(`/${wheel}`)) return url;
  }
  return undefined;
}

/** Files on the host of the index are asked for with the same name and password. */
function withSecretsOf(index: string, url: URL): string {
  const { host, username, password } = new URL(index);
  if (url.host === host && url.username === '') Object.assign(url, { username, password });
  return url.href;
}
