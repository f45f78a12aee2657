import { expect, it } from 'vitest';
import { enginePackage, requireGlibc, wheelTags } from '../../../src/engine/install/packages.js';

it.each([
  ['cpu', 'linux-x64', 'tensorflow_cpu-2.21.0-cp312-cp312-manylinux_2_27_x86_64.whl'],
  ['cuda', 'linux-x64', 'tensorflow-2.21.0-cp312-cp312-manylinux_2_27_x86_64.whl'],
  ['cpu', 'linux-arm64', 'tensorflow-2.21.0-cp312-cp312-manylinux_2_27_aarch64.whl'],
  ['cpu', 'darwin-arm64', 'tensorflow-2.21.0-cp312-cp312-macosx_12_0_arm64.whl'],
] as const)('the %s engine for %s is in %s', (variant, machine, wheel) => {
  expect(enginePackage(variant, machine).wheel).toBe(wheel);
});

it('says for which machines there is none', () => {
  expect(() => enginePackage('cpu', 'win32-x64')).toThrow('there is no build of TensorFlow for win32-x64');
  expect(() => enginePackage('cuda', 'darwin-arm64')).toThrow(
    'there is no CUDA build of TensorFlow for darwin-arm64',
  );
});

it('asks pip for a fixed Python and the platforms that fit', () => {
  const tags = wheelTags('linux-arm64');
  expect(tags.slice(0, 6)).toEqual([
    '--python-version',
    '3.12',
    '--implementation',
    'cp',
    '--platform',
    'manylinux_2_28_aarch64',
  ]);
  expect(tags.at(-1)).toBe('manylinux2014_aarch64');
  expect(wheelTags('darwin-arm64').slice(4)).toEqual(['--platform', 'macosx_12_0_arm64']);
});

it('refuses a C library that the wheels are not linked with', () => {
  for (const version of ['2.27', '2.36', '2.100', '3.0']) expect(() => requireGlibc(version)).not.toThrow();
  expect(() => requireGlibc('2.17')).toThrow('needs glibc 2.27 or later, but this system has 2.17');
  expect(() => requireGlibc(undefined)).toThrow(/this system has another C library\n.*not Alpine/);
});
