/**
 * Which package holds the library for this machine: pinned version, wheel tags, sizes.
 *
 * The library inside is the same whatever Python a wheel is for, so pip is asked for one fixed Python version; the user's
 * may be older or newer than any that TensorFlow is built for. Sizes are those of the pinned version's wheels; of the
 * NVIDIA packages, which are not pinned, about.
 */

import { UserError } from '../../core/errors.js';
import type { Variant } from './library-files.js';

export const PINNED_VERSION = '2.21.0';
export const PYTHON_VERSION = '3.12';

export interface EnginePackage {
  /** Name on the package index. */
  name: string;
  version: string;
  /** Name of its wheel. */
  wheel: string;
  downloadBytes: number;
  /** Of what is kept. */
  installedBytes: number;
  /** Of the packages that a CUDA engine needs besides. */
  nvidia: { downloadBytes: number; installedBytes: number } | undefined;
}

const WHEELS: Record<string, { name: string; tag: string; downloadBytes: number; installedBytes: number }> = {
  // Only for Linux on x64 is the CPU build a package of its own.
  'linux-x64-cpu': {
    name: 'tensorflow-cpu',
    tag: 'manylinux_2_27_x86_64',
    downloadBytes: 274e6,
    installedBytes: 853e6,
  },
  'linux-x64-cuda': {
    name: 'tensorflow',
    tag: 'manylinux_2_27_x86_64',
    downloadBytes: 573e6,
    installedBytes: 1_259e6,
  },
  'linux-arm64-cpu': {
    name: 'tensorflow',
    tag: 'manylinux_2_27_aarch64',
    downloadBytes: 282e6,
    installedBytes: 883e6,
  },
  'darwin-arm64-cpu': {
    name: 'tensorflow',
    tag: 'macosx_12_0_arm64',
    downloadBytes: 224e6,
    installedBytes: 741e6,
  },
};

const NVIDIA = { downloadBytes: 2_810e6, installedBytes: 4_430e6 };

/**
 * The package for a machine.
 *
 * @param machine `process.platform` and `process.arch`, joined by a dash
 * @throws UserError for a machine that no wheel exists for
 */
export function enginePackage(
  variant: Variant,
  machine = `${process.platform}-${process.arch}`,
): EnginePackage {
  const found = WHEELS[`${machine}-${variant}`];
  if (found === undefined) {
    throw new UserError(
      `there is no ${variant === 'cuda' ? 'CUDA ' : ''}build of TensorFlow for ${machine}`,
      {
        remedy: 'build TensorFlow for this machine, and use: scrl engine install --from FOLDER',
      },
    );
  }
  const { name, tag, ...sizes } = found;
  const python = `cp${PYTHON_VERSION.replace('.', '')}`;
  const wheel = `${name.replace('-', '_')}-${PINNED_VERSION}-${python}-${python}-${tag}.whl`;
  const nvidia = variant === 'cuda' ? NVIDIA : undefined;
  return { name, version: PINNED_VERSION, wheel, ...sizes, nvidia };
}

/**
 * Arguments that make pip choose wheels for this machine instead of those for the Python that it runs on. pip takes
 * platforms literally, so all that fit are named.
 */
export function wheelTags(machine = `${process.platform}-${process.arch}`): string[] {
  const [system, arch] = machine.split('-');
  const platforms: string[] = [];
  if (system === 'darwin') platforms.push('macosx_12_0_arm64');
  else {
    const cpu = arch === 'arm64' ? 'aarch64' : 'x86_64';
    for (let minor = 28; minor >= 17; minor--) platforms.push(`manylinux_2_${minor}_${cpu}`);
    platforms.push(`manylinux2014_${cpu}`);
  }
  const flags = platforms.flatMap((platform) => ['--platform', platform]);
  return ['--python-version', PYTHON_VERSION, '--implementation', 'cp', ...flags];
}

/**
 * The wheels for Linux are linked with glibc 2.27 or later.
 *
 * @param version of this machine's glibc; undefined where the system has another C library
 * @throws UserError when TensorFlow could not be loaded here
 */
export function requireGlibc(version: string | undefined): void {
  const [major, minor] = (version ?? '0.0').split('.').map(Number);
  if (major > 2 || (major === 2 && minor >= 27)) return;
  const found = version === undefined ? 'this system has another C library' : `this system has ${version}`;
  throw new UserError(`TensorFlow needs glibc 2.27 or later, but ${found}`, {
    remedy: 'use a Linux with glibc (not Alpine), for instance the container image node:22-slim',
  });
}

export function glibcVersion(): string | undefined {
  const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return report.header?.glibcVersionRuntime;
}
