import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import {
  findLibraries,
  libraryName,
  placeInEngine,
  preloadOrder,
  versionInName,
} from '../../../src/engine/install/library-files.js';
import { useFolder } from './fabricate.js';

const folder = useFolder();

it.each([
  ['libtensorflow_cc.so.2', 'libtensorflow_cc.so.2', undefined],
  ['libtensorflow.so.2.18.0', 'libtensorflow.so.2', '2.18.0'],
  ['libtensorflow_framework.2.16.2.dylib', 'libtensorflow_framework.2.dylib', '2.16.2'],
  ['libtensorflow.2.dylib', 'libtensorflow.2.dylib', undefined],
  ['libtensorflow.so', undefined, undefined],
  ['libtensorflow.so.1.15.0', undefined, undefined],
  ['libtensorflow_io.so.2', undefined, undefined],
])('%s is called %s by its neighbours, version %s', (file, name, version) => {
  expect(libraryName(file)).toBe(name);
  expect(versionInName(file)).toBe(version);
});

it.each([
  ['tensorflow/libtensorflow_cc.so.2', 'libtensorflow_cc.so.2', 'tensorflow/libtensorflow_cc.so.2'],
  ['./lib/libtensorflow.so.2.18.0', 'libtensorflow.so.2', 'tensorflow/libtensorflow.so.2'],
  ['tensorflow/include/libtensorflow_cc.so.2', undefined, undefined],
  ['nvidia/cudnn/lib/libcudnn.so.9', undefined, 'nvidia/cudnn/lib/libcudnn.so.9'],
  ['nvidia/cuda_nvcc/bin/ptxas', undefined, 'nvidia/cuda_nvcc/bin/ptxas'],
  [
    'nvidia/cuda_nvcc/nvvm/libdevice/libdevice.10.bc',
    undefined,
    'nvidia/cuda_nvcc/nvvm/libdevice/libdevice.10.bc',
  ],
  ['nvidia/cuda_runtime/lib/libcudart_static.a', undefined, undefined],
  ['nvidia/cudnn/include/cudnn.h', undefined, undefined],
  ['nvidia/cudnn/lib/../../../../libcudnn.so.9', undefined, undefined],
])('%s goes to %s in a CPU engine and %s in a CUDA engine', (member, cpu, cuda) => {
  expect(placeInEngine(member, 'cpu')).toBe(cpu);
  expect(placeInEngine(member, 'cuda')).toBe(cuda);
});

it('preloads what TensorFlow opens, dependencies first', () => {
  const files = ['cudnn/lib/libcudnn_ops.so.9', 'cudnn/lib/libcudnn.so.9', 'cublas/lib/libcublas.so.12'];
  const more = [
    'cublas/lib/libcublasLt.so.12',
    'cublas/lib/libnvblas.so.12',
    'cuda_runtime/lib/libcudart.so.12',
  ];
  expect(preloadOrder([...files, ...more].map((name) => `nvidia/${name}`))).toEqual([
    'nvidia/cuda_runtime/lib/libcudart.so.12',
    'nvidia/cublas/lib/libcublasLt.so.12',
    'nvidia/cublas/lib/libcublas.so.12',
    'nvidia/cudnn/lib/libcudnn.so.9',
  ]);
});

it('takes links as the linker does, and passes over dangling ones', async () => {
  const lib = join(folder.path, 'lib');
  await mkdir(lib);
  await writeFile(join(lib, 'libtensorflow.so.2.18.0'), '');
  await symlink('libtensorflow.so.2.18.0', join(lib, 'libtensorflow.so.2'));
  await symlink('libtensorflow_framework.so.2.18.0', join(lib, 'libtensorflow_framework.so.2'));
  const expected = { main: join(lib, 'libtensorflow.so.2'), framework: undefined };
  expect(await findLibraries(lib)).toEqual(expected);
  expect(await findLibraries(folder.path)).toEqual(expected);
});

it('says what it expected in a folder without a library', async () => {
  await expect(findLibraries(folder.path)).rejects.toThrow(
    /holds no TensorFlow library\n {2}expected libtensorflow_cc/,
  );
});
