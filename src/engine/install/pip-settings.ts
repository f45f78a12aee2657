/**
 * Where pip would download from: its settings in the environment and in its files, of which later ones win (pip's user guide,
 * "Configuration"). Read for machines that have no pip.
 */

import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

export interface PipSettings {
  /** The index, and further ones. */
  readonly indexes: readonly string[];
  readonly proxy: string | undefined;
  /** File of certificates to trust in place of Node's. */
  readonly cert: string | undefined;
  /** Hosts, with or without a port, whose certificate is not checked. */
  readonly trusted: readonly string[];
}

type Environment = Readonly<Record<string, string | undefined>>;

/** What pip takes when nothing is set. */
const DEFAULT_INDEX = 'https://pypi.org/simple';
/** Sections that count for a download. */
const SECTIONS = ['global', 'download'];

export async function pipSettings(env: Environment = process.env): Promise<PipSettings> {
  const found = new Map<string, string>();
  for (const path of filesOf(env)) {
    const text = await readFile(path, 'utf8').catch(() => '');
    for (const [key, value] of parseIni(text)) found.set(key, value);
  }
  for (const [name, value] of Object.entries(env)) {
    if (/^PIP_/.test(name) && value) found.set(name.slice(4).toLowerCase().replaceAll('_', '-'), value);
  }
  const list = (key: string) => (found.get(key) ?? '').split(/\s+/).filter((item) => item !== '');
  return {
    indexes: found.has('no-index')
      ? []
      : [found.get('index-url') ?? DEFAULT_INDEX, ...list('extra-index-url')],
    proxy: found.get('proxy'),
    cert: found.get('cert'),
    trusted: list('trusted-host'),
  };
}

function filesOf(env: Environment): string[] {
  const home = env.HOME || homedir();
  const own = env.PIP_CONFIG_FILE;
  // The null device switches all files off.
  if (own === '/dev/null') return [];
  return [
    ...(env.XDG_CONFIG_DIRS || '/etc/xdg').split(':').map((folder) => join(folder, 'pip', 'pip.conf')),
    '/etc/pip.conf',
    join(home, '.pip', 'pip.conf'),
    join(env.XDG_CONFIG_HOME || join(home, '.config'), 'pip', 'pip.conf'),
    ...(env.VIRTUAL_ENV ? [join(env.VIRTUAL_ENV, 'pip.conf')] : []),
    ...(own ? [own] : []),
  ];
}

/** Python's ini files: lines that begin with a blank go on with the value above. */
function* parseIni(text: string): Generator<[key: string, value: string]> {
  let section = '';
  let entry: [string, string] | undefined;
  for (const line of text.split(/\r?\n/)) {
    if (/^\s*([#;]|$)/.test(line)) continue;
    const [, name] = /^\[(.+)\]\s*$/.exec(line) ?? [];
    const [, key, value] = /^([\w-]+)\s*[=:]\s*(.*)$/.exec(line) ?? [];
    if (/^\s/.test(line) && entry !== undefined) entry[1] += ` ${line.trim()}`;
    else if (entry !== undefined) yield entry;
    if (/^\s/.test(line)) continue;
    entry =
      key !== undefined && SECTIONS.includes(section)
        ? [key.toLowerCase().replaceAll('_', '-'), value.trim()]
        : undefined;
    if (name !== undefined) section = name;
  }
  if (entry !== undefined) yield entry;
}
