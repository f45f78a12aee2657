/**
 * Which files make up the runtime: names of TensorFlow's libraries in wheels, archives and folders, and where they lie in
 * an engine folder.
 *
 * The CPU engine is flat. A CUDA engine mirrors Python's site-packages (`tensorflow/` beside `nvidia/`): TensorFlow looks
 * for cuDNN, ptxas and libdevice by paths relative to its own library, and finds them only in this layout.
 */

import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { UserError } from '../../core/errors.js';

export type Variant = 'cpu' | 'cuda';

/** TensorFlow's libraries in one folder. */
export interface Libraries {
  /** The one with the C API. */
  main: string;
  /** The one that `main` is linked with, where the build has it apart. */
  framework: string | undefined;
}

const LINUX = /^(libtensorflow(?:_cc|_framework)?)\.so\.2(?:\.[\d.]+)?$/;
const MACOS = /^(libtensorflow(?:_cc|_framework)?)\.2(?:\.[\d.]+)?\.dylib$/;
const NVIDIA = /^nvidia\/\w+\/(lib\/[^/]+\.so[^/]*|bin\/[^/]+|nvvm\/.*[^/])$/;

/** Beginnings of the CUDA libraries that TensorFlow opens, each after those that it needs itself. */
const PRELOAD = [
  'nvidia/cuda_runtime/lib/libcudart.so.',
  'nvidia/nvjitlink/lib/libnvJitLink.so.',
  'nvidia/cuda_nvrtc/lib/libnvrtc.so.',
  'nvidia/cublas/lib/libcublasLt.so.',
  'nvidia/cublas/lib/libcublas.so.',
  'nvidia/cufft/lib/libcufft.so.',
  'nvidia/curand/lib/libcurand.so.',
  'nvidia/cusparse/lib/libcusparse.so.',
  'nvidia/cusolver/lib/libcusolver.so.',
  'nvidia/cuda_cupti/lib/libcupti.so.',
  'nvidia/cudnn/lib/libcudnn.so.',
  'nvidia/nccl/lib/libnccl.so.',
];

/**
 * The name by which the libraries of one build look for each other: `libtensorflow.so.2` for `libtensorflow.so.2.18.0`.
 * Undefined for any other file.
 */
export function libraryName(name: string): string | undefined {
  const linux = LINUX.exec(name);
  if (linux !== null) return `${linux[1]}.so.2`;
  const macos = MACOS.exec(name);
  return macos === null ? undefined : `${macos[1]}.2.dylib`;
}

/** `2.18.0` for `libtensorflow.so.2.18.0`; undefined where the name does not say. */
export function versionInName(name: string): string | undefined {
  return libraryName(name) === undefined ? undefined : /\.(2\.\d+\.\d+)(\.dylib)?$/.exec(name)?.[1];
}

/** Where a member of a wheel or archive goes in an engine folder; undefined when it is not wanted. */
export function placeInEngine(member: string, variant: Variant): string | undefined {
  const path = member.replace(/^\.\//, '');
  if (NVIDIA.test(path)) return variant === 'cuda' ? path : undefined;
  const name = libraryName(basename(path));
  if (name === undefined || !/^(tensorflow\/|lib\/)?[^/]+$/.test(path)) return undefined;
  return variant === 'cuda' ? `tensorflow/${name}` : name;
}

/** CUDA libraries among `files` to be opened before TensorFlow's, in order. */
export function preloadOrder(files: readonly string[]): string[] {
  return PRELOAD.flatMap((start) => files.filter((file) => file.startsWith(start)));
}

/**
 * TensorFlow's libraries in a folder, or in its `tensorflow/` or `lib/`; what is only a dangling link is not one.
 *
 * @throws UserError when there is none
 */
export async function findLibraries(folder: string): Promise<Libraries> {
  for (const place of [folder, join(folder, 'tensorflow'), join(folder, 'lib')]) {
    const byName = await namedLibraries(place);
    const main = [...byName.keys()].filter((name) => !name.includes('_framework')).sort();
    if (main.length === 0) continue;
    const framework = [...byName.keys()].find((name) => name.includes('_framework'));
    // `_cc` sorts behind the plain name, which is the smaller one.
    return {
      main: byName.get(main[0]) as string,
      framework: framework === undefined ? undefined : byName.get(framework),
    };
  }
  throw new UserError('holds no TensorFlow library', {
    where: folder,
    remedy: 'expected libtensorflow_cc.so.2 or libtensorflow.so.2 (on macOS with the ending .2.dylib)',
  });
}

/** A library that the user named, whatever it is called, with the framework library beside it. */
export async function librariesBeside(main: string): Promise<Libraries> {
  const byName = await namedLibraries(dirname(main));
  const framework = [...byName.keys()].find((name) => name.includes('_framework'));
  return { main, framework: framework === undefined ? undefined : byName.get(framework) };
}

/** The file that a chain of links leads to: it often has the version in its name. */
export async function realName(path: string): Promise<string> {
  return basename(await realpath(path));
}

/** Paths by library name; of several spellings the shortest, which is the one that the linker asks for. */
async function namedLibraries(folder: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const files = await readdir(folder).catch(() => [] as string[]);
  for (const file of files.sort((a, b) => a.length - b.length)) {
    const name = libraryName(file);
    if (name === undefined || found.has(name)) continue;
    const path = join(folder, file);
    const isFile = await stat(path).then(
      (status) => status.isFile(),
      () => false,
    );
    if (isFile) found.set(name, path);
  }
  return found;
}
