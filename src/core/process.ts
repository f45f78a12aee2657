/**
 * Processes that leave their names in files: who they are, and whether they still live.
 *
 * A number alone does not say it. After kill -9, or in a restarted container, another process may have the same number, but
 * not the same birth; another container, or another host with the same disk, has numbers of its own.
 */

import { readlinkSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { hasCode } from './errors.js';

export interface Owner {
  readonly pid: number;
  /** When it started; empty where that cannot be found out. */
  readonly born: string;
  readonly host: string;
  /** Where its number counts: the namespace of process ids; empty where there are none. */
  readonly namespace: string;
}

/** This process. */
export async function self(): Promise<Owner> {
  return { pid: process.pid, born: await birthOf(process.pid), host: hostname(), namespace: NAMESPACE };
}

/** Where numbers of processes count, of this process; empty where there are no namespaces. */
export const NAMESPACE = readNamespace();

function readNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}

/** Whether the owner's number means a process of this machine and container. */
export function isHere({ host, namespace }: Owner): boolean {
  return host === hostname() && namespace === NAMESPACE;
}

/** Whether an owner that is here still lives. */
export async function lives({ pid, born }: Owner): Promise<boolean> {
  return processLives(pid) && (await birthOf(pid)) === born;
}

/** `process 12`, or `process 12 on HOST`. */
export function describeOwner(owner: Owner): string {
  const { pid, host } = owner;
  if (isHere(owner)) return `process ${pid}`;
  return `process ${pid} ${host === hostname() ? `in another container of ${host}` : `on ${host}`}`;
}

/** One line of JSON. */
export function writeOwner(owner: Owner): string {
  return `${JSON.stringify(owner)}\n`;
}

/** Undefined for a text that `writeOwner` did not write. */
export function readOwner(text: string): Owner | undefined {
  try {
    // Locks of earlier versions have no namespace.
    const { pid, born, host, namespace = NAMESPACE } = JSON.parse(text) as Partial<Owner>;
    const texts = [born, host, namespace].every((value) => typeof value === 'string');
    if (Number.isSafeInteger(pid) && texts) return { pid, born, host, namespace } as Owner;
  } catch {
    // Written whole or not at all, so this is none of ours.
  }
  return undefined;
}

export function processLives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return hasCode(error, 'EPERM');
  }
}

/** In clock ticks since the machine started; empty where it cannot be found out, as without /proc. */
export async function birthOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The second field is the program's name in parentheses and may hold blanks; the start is field 22.
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}
