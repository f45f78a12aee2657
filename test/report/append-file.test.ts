import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SILENT } from '../../src/core/log.js';
import { AppendFile } from '../../src/report/append-file.js';
import { temporaryFolder } from '../image/pictures.js';

const folder = await temporaryFolder();

function open(path: string) {
  const warnings: string[] = [];
  const log = { ...SILENT, warn: (text: string) => void warnings.push(text) };
  return { file: new AppendFile(path, openSync(path, 'a'), log), warnings };
}

it('appends', () => {
  const path = join(folder, 'a');
  const { file, warnings } = open(path);
  file.append(Buffer.from('one '));
  file.append(Buffer.from('two'));
  file.close();
  expect(readFileSync(path, 'utf8')).toBe('one two');
  expect(warnings).toEqual([]);
  expect(() => file.append(Buffer.from('x'))).toThrow('is closed');
});

it.runIf(existsSync('/dev/full'))(
  'says once that a disk is full, and fails when it still is at the end',
  () => {
    const { file, warnings } = open('/dev/full');
    for (let i = 0; i < 3; i++) file.append(Buffer.from('x'));
    expect(warnings).toEqual(['/dev/full: no space left on the disk; kept in memory until there is']);
    expect(() => file.close()).toThrow('/dev/full: no space left on the disk');
  },
);

describe('on a disk that fills up', () => {
  const disk = join(folder, 'disk');
  mkdirSync(disk);
  // Only root may mount one.
  const isMounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk]).status === 0;

  it.runIf(isMounted)('nothing is lost when there is space again', () => {
    try {
      writeFileSync(join(disk, 'other'), Buffer.alloc(60_000));
      const { file, warnings } = open(join(disk, 'a'));
      const lines = Array.from({ length: 50 }, (_, i) => `${String(i).padStart(999)}\n`);
      for (const [i, line] of lines.entries()) {
        if (i === 30) rmSync(join(disk, 'other'));
        file.append(Buffer.from(line));
      }
      file.close();
      expect(warnings).toHaveLength(1);
      expect(readFileSync(join(disk, 'a'), 'utf8')).toBe(lines.join(''));
    } finally {
      spawnSync('umount', [disk]);
    }
  });
});
