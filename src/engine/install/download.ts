/**
 * Downloads and unpacks the wheels of an engine: TensorFlow's and, for CUDA, the NVIDIA packages that it names itself.
 *
 * Its own file because here is everything that the user is told about the download: its size beforehand, and how to do
 * without network.
 */

import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { formatBytes } from '../../core/clock.js';
import { requireSpace } from '../../core/disk-space.js';
import { UserError } from '../../core/errors.js';
import type { Log } from '../../core/log.js';
import { OTHER_DISK } from './engine-folder.js';
import type { EnginePackage } from './packages.js';
import { findPip, pipDownload } from './pip.js';
import { type Unpacking, unpackWheel } from './unpack.js';
import { requireKnown, WHEEL_HASHES, type WheelHashes } from './wheel-hashes.js';
import { downloadWheel } from './without-pip.js';

/**
 * @param root where the engines are kept, for messages
 * @throws UserError when it does not fit, or cannot be had
 */
export async function downloadEngine(
  wanted: EnginePackage,
  root: string,
  unpacking: Unpacking,
  options: {
    log: Log;
    /** By default those of the pinned version. */
    hashes?: WheelHashes;
    onProgress?: (progress: { stage: 'downloading'; done: number; total: number }) => void;
  },
): Promise<void> {
  const { name, version, nvidia } = wanted;
  const downloadBytes = wanted.downloadBytes + (nvidia?.downloadBytes ?? 0);
  const installedBytes = wanted.installedBytes + (nvidia?.installedBytes ?? 0);
  const pip = await findPip(unpacking.folder);
  if (pip === undefined && nvidia !== undefined) {
    throw new UserError('pip was not found; it chooses the CUDA libraries', {
      remedy: `install Python with pip; or ${withoutNetwork(wanted)}`,
    });
  }
  options.log.info(
    `downloading ${name} ${version}${nvidia === undefined ? '' : ' and the CUDA libraries'}${pip === undefined ? '' : ' with pip'}: ` +
      `about ${formatBytes(downloadBytes)}, ${formatBytes(installedBytes)} on disk, in ${root}`,
  );
  // The wheels lie beside what is unpacked from them.
  await requireSpace(root, downloadBytes + installedBytes, OTHER_DISK);
  const folder = join(unpacking.folder, 'download');
  const remedy = withoutNetwork(wanted);
  const fetch = async (requirements: readonly string[], expectedBytes: number, hashes?: WheelHashes) => {
    await mkdir(folder);
    const onProgress = (done: number, total: number) =>
      options.onProgress?.({ stage: 'downloading', done, total });
    const common = { folder, expectedBytes, remedy, onProgress };
    const wheels =
      pip === undefined
        ? [await downloadWheel({ ...common, name, wheel: wanted.wheel })]
        : await pipDownload(pip, { ...common, requirements });
    for (const wheel of wheels) {
      if (hashes !== undefined) await requireKnown(wheel, hashes);
      await unpackWheel(wheel, unpacking);
      await rm(wheel);
    }
    await rm(folder, { recursive: true });
  };
  await fetch([`${name}==${version}`], wanted.downloadBytes, options.hashes ?? WHEEL_HASHES);
  if (nvidia !== undefined) await fetch(unpacking.nvidia, nvidia.downloadBytes);
}

function withoutNetwork({ name, version, wheel, nvidia }: EnginePackage): string {
  if (nvidia === undefined) {
    return `get ${wheel} from https://pypi.org/project/${name}/${version}/#files, then: scrl engine install --from ${wheel}`;
  }
  return (
    `on a Linux machine with network and Python 3.10 to 3.13: pip download --dest FOLDER "${name}[and-cuda]==${version}", ` +
    'then here: scrl engine install --cuda --from FOLDER'
  );
}
