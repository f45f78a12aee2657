/**
 * Installing from everything that may be given, and what is left when it goes wrong: never half an engine.
 *
 * A killed install is represented by what it leaves: a temporary folder and a lock with the number of a dead process.
 */

import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { SILENT } from '../../../src/core/log.js';
import { findEngine, type Manifest } from '../../../src/engine/install/engine-folder.js';
import {
  ensureEngine,
  type InstallOptions,
  type InstallProgress,
  installEngine,
} from '../../../src/engine/install/install.js';
import { leftBy } from '../../helpers/left-overs.js';
import {
  elf,
  fakePip,
  hostLibrary,
  memoryLog,
  OTHER_ARCH,
  tarGz,
  useFolder,
  wheel,
  zip,
} from './fabricate.js';

const disk = vi.hoisted(() => ({ free: 1e12 }));
vi.mock('node:fs/promises', async (importOriginal) => ({
  ...(await importOriginal<typeof import('node:fs/promises')>()),
  statfs: async () => ({ bavail: disk.free, bsize: 1, blocks: 1e12 }),
}));

const folder = useFolder();
const requiredSymbols = ['TF_Version', 'TF_NewStatus'];
const at = (...names: string[]) => join(folder.path, ...names);
const engines = () => at('home', 'engine');

beforeEach(() => {
  disk.free = 1e12;
});

/** What the pip of these tests brings. */
const DOWNLOADED = 'tensorflow-2.21.0-x.whl';
const hashes = new Map([[DOWNLOADED, createHash('sha256').update(wheel()).digest('hex')]]);

function install(options: Partial<InstallOptions> = {}) {
  return installEngine({ log: SILENT, requiredSymbols, hashes, ...options });
}

async function give(name: string, bytes: Buffer): Promise<string> {
  await writeFile(at(name), bytes);
  return at(name);
}

describe('from what the user gives', () => {
  it('unpacks only the libraries of a wheel, and records them', async () => {
    const progress: InstallProgress[] = [];
    const from = await give('a.whl', wheel());
    const engine = await install({ from, onProgress: (step) => progress.push(step) });
    const home = join(engines(), 'cpu-2.21.0');
    expect(engine).toEqual({
      folder: home,
      variant: 'cpu',
      version: '2.21.0',
      source: from,
      ccLibrary: join(home, 'libtensorflow_cc.so.2'),
      frameworkLibrary: join(home, 'libtensorflow_framework.so.2'),
      preload: [],
      libraries: [join(home, 'libtensorflow_framework.so.2'), join(home, 'libtensorflow_cc.so.2')],
    });
    expect((await readdir(home)).sort()).toEqual([
      'engine.json',
      'libtensorflow_cc.so.2',
      'libtensorflow_framework.so.2',
    ]);
    expect(await readFile(engine.ccLibrary)).toEqual(hostLibrary('TF_Version'));
    const { files, platform, arch } = JSON.parse(
      await readFile(join(home, 'engine.json'), 'utf8'),
    ) as Manifest;
    expect({ platform, arch }).toEqual({ platform: process.platform, arch: process.arch });
    expect(files['libtensorflow_cc.so.2'].bytes).toBe(hostLibrary('TF_Version').length);
    const total = hostLibrary('TF_Version').length + hostLibrary('TF_NewStatus').length;
    expect(progress.at(-1)).toEqual({ stage: 'unpacking', done: total, total });
    expect(await findEngine()).toEqual(engine);
  });

  it('takes the official archive, whose libraries have versions in their names', async () => {
    const members = ['libtensorflow', 'libtensorflow_framework'].flatMap((name) => [
      { name: `./lib/${name}.so.2`, type: '2', link: `${name}.so.2.18.0` },
      { name: `./lib/${name}.so.2.18.0`, content: hostLibrary(...requiredSymbols) },
    ]);
    const engine = await install({
      from: await give('l.tar.gz', tarGz([...members, { name: './LICENSE' }])),
    });
    expect(engine.folder).toBe(join(engines(), 'cpu-2.18.0'));
    expect(engine.libraries.map((path) => path.slice(engine.folder.length + 1))).toEqual([
      'libtensorflow_framework.so.2',
      'libtensorflow.so.2',
    ]);
  });

  it('takes a folder with the libraries, or a library of any name', async () => {
    await mkdir(at('own'));
    await give('own/libtensorflow.so.2', hostLibrary(...requiredSymbols));
    expect((await install({ from: at('own') })).version).toBe('unknown');
    await give('own/mine.so', hostLibrary(...requiredSymbols, 'MINE'));
    const engine = await install({ from: at('own', 'mine.so') });
    expect(await readFile(engine.ccLibrary)).toEqual(hostLibrary(...requiredSymbols, 'MINE'));
  });

  it('takes an engine folder of ours with its version', async () => {
    const first = await install({ from: await give('a.whl', wheel()) });
    await rename(first.folder, at('elsewhere'));
    expect((await install({ from: at('elsewhere') })).version).toBe(first.version);
  });

  it('takes a folder of wheels, and lays a CUDA engine out as Python does', async () => {
    await mkdir(at('wheels'));
    await give('wheels/tensorflow-2.21.0-x.whl', wheel());
    await give('wheels/numpy-2.0-x.whl', Buffer.from('is not looked at'));
    const cudnn = { 'nvidia/cudnn/lib/libcudnn.so.9': 'x', 'nvidia/cudnn/include/cudnn.h': 'x' };
    await give('wheels/nvidia_cudnn_cu12-9.3-x.whl', zip(cudnn));
    await give('wheels/nvidia_cuda_nvcc_cu12-12.9-x.whl', zip({ 'nvidia/cuda_nvcc/bin/ptxas': 'x' }));
    const engine = await install({ from: at('wheels'), cuda: true });
    const home = join(engines(), 'cuda-2.21.0');
    expect(engine.libraries).toEqual([
      join(home, 'nvidia/cudnn/lib/libcudnn.so.9'),
      join(home, 'tensorflow/libtensorflow_framework.so.2'),
      join(home, 'tensorflow/libtensorflow_cc.so.2'),
    ]);
    expect((await stat(join(home, 'nvidia/cuda_nvcc/bin/ptxas'))).mode & 0o111).toBe(0o111);
    expect(await readdir(join(home, 'nvidia/cudnn'))).toEqual(['lib']);
    // An engine folder is a folder with the libraries, too.
    const copy = await install({ from: home, cuda: true });
    expect(copy.preload).toEqual([join(copy.folder, 'nvidia/cudnn/lib/libcudnn.so.9')]);
  });

  it('warns of a CUDA engine without the CUDA libraries', async () => {
    const log = memoryLog();
    await install({ from: await give('a.whl', wheel()), cuda: true, log });
    expect(log.lines[0]).toMatch(/^warning: .*a.whl holds no CUDA libraries/);
  });

  it('unpacks what compresses extremely well, as some CUDA libraries do', async () => {
    const framework = Buffer.concat([hostLibrary('TF_NewStatus'), Buffer.alloc(3_000_000)]);
    const engine = await install({ from: await give('a.whl', wheel({ framework })) });
    expect((await stat(engine.frameworkLibrary ?? '')).size).toBe(framework.length);
  });
});

describe('what is refused', () => {
  /** Installs a good engine, then fails to replace it. */
  async function refused(name: string, bytes: Buffer): Promise<string> {
    await install({ from: await give('good.whl', wheel()) });
    const before = await findEngine();
    const error = await install({ from: await give(name, bytes) }).catch((error: Error) => error);
    expect(error).toMatchObject({ name: 'UserError' });
    expect(await readdir(engines())).toEqual(['cpu-2.21.0']);
    expect(await findEngine()).toEqual(before);
    return (error as Error).message;
  }

  it('a wheel that is cut off, or has a wrong checksum', async () => {
    const whole = wheel();
    expect(await refused('a.whl', whole.subarray(0, whole.length - 30))).toMatch(/a.whl: .* is cut off\n/);
    const wrongCrc = 'tensorflow/libtensorflow_cc.so.2';
    expect(await refused('a.whl', wheel({}, { wrongCrc }))).toMatch(
      /libtensorflow_cc.so.2: checksum is wrong\n/,
    );
    const bytes = wheel();
    bytes.fill(
      0xff,
      bytes.indexOf('libtensorflow_cc.so.2') + 21,
      bytes.indexOf('libtensorflow_cc.so.2') + 60,
    );
    expect(await refused('a.whl', bytes)).toMatch(/libtensorflow_cc.so.2: cannot be inflated\n/);
  });

  it('a wheel or archive without the library, and what is neither', async () => {
    expect(await refused('a.whl', zip({ 'torch/lib.so': '' }))).toMatch(
      /a.whl: holds no TensorFlow library\n/,
    );
    expect(await refused('a.tar.gz', tarGz([{ name: 'x' }]))).toMatch(
      /a.tar.gz: holds no TensorFlow library\n/,
    );
    expect(await refused('a.txt', Buffer.from('text'))).toMatch(/a.txt: is neither a wheel, nor/);
  });

  it('a library for another processor, naming both', async () => {
    const message = await refused('a.whl', wheel({ main: elf(OTHER_ARCH, requiredSymbols) }));
    expect(message).toContain(
      `a.whl/libtensorflow_cc.so.2: is a library for linux-${OTHER_ARCH}, but this machine is ${process.platform}-${process.arch}`,
    );
  });

  it.skipIf(process.platform === 'darwin')('a library without the functions that are needed', async () => {
    const message = await refused('a.whl', wheel({ framework: hostLibrary() }));
    expect(message).toContain(
      "lacks 1 of the 2 functions of TensorFlow's C API that are needed, e.g. TF_NewStatus",
    );
  });

  it('a path where nothing is', async () => {
    await expect(install({ from: at('none') })).rejects.toThrow(/none: there is no such file or folder\n/);
  });

  it('a disk that is too small, before anything is written', async () => {
    disk.free = 100;
    const from = await give('a.whl', wheel());
    await expect(install({ from })).rejects.toThrow(/B are needed, but only 100 B are free\n.*SCRL_HOME/);
    expect(await readdir(engines())).toEqual([]);
  });

  it('a home that is a file', async () => {
    await give('home', Buffer.from(''));
    const from = await give('a.whl', wheel());
    await expect(install({ from })).rejects.toThrow('a file stands where a folder is needed');
  });

  it.skipIf(process.getuid?.() === 0)('a home that may not be written', async () => {
    await mkdir(at('home'), { mode: 0o555 });
    const from = await give('a.whl', wheel());
    await expect(install({ from })).rejects.toThrow('permission denied or read-only');
    await chmod(at('home'), 0o755);
  });
});

describe('left-overs of killed installs', () => {
  it('are removed, and the lock taken over, when their process is dead', async () => {
    const dead = spawnSync('true').pid;
    const alive = spawn('sleep', ['60']);
    try {
      const left = (owner: number | undefined) => leftBy(owner, 'cpu');
      for (const owner of [dead, alive.pid]) {
        await mkdir(join(engines(), left(owner), 'download'), { recursive: true });
        await give(`home/engine/${left(owner)}/libtensorflow_cc.so.2`, Buffer.from('half'));
      }
      await give(
        'home/engine/install.lock',
        Buffer.from(`{"pid":${dead},"born":"1","host":${JSON.stringify(hostname())}}\n`),
      );
      await install({ from: await give('a.whl', wheel()) });
      expect((await readdir(engines())).sort()).toEqual(['cpu-2.21.0', left(alive.pid)]);
    } finally {
      alive.kill();
    }
  });
});

const here = `${process.platform}-${process.arch}`;
describe.runIf(['linux-x64', 'linux-arm64', 'darwin-arm64'].includes(here))('by download', () => {
  const downloads = async (calls: string) => (await readFile(calls, 'utf8')).trim().split('\n').length;

  it('says how large it is, downloads, and leaves nothing but the engine', async () => {
    const log = memoryLog();
    await fakePip(folder.path, `cp '${await give('a.whl', wheel())}' "$dest/tensorflow-2.21.0-x.whl"`);
    const engine = await install({ log });
    expect(log.lines[0]).toMatch(
      /^downloading tensorflow\S* 2.21.0 with pip: about \d+ MB, \d+ MB on disk, in /,
    );
    expect(log.lines[1]).toBe(`TensorFlow 2.21.0 (cpu) is installed in ${engine.folder}`);
    expect(await readdir(engines())).toEqual(['cpu-2.21.0']);
    expect((await readdir(engine.folder)).filter((name) => !name.startsWith('libtensorflow'))).toEqual([
      'engine.json',
    ]);
  });

  it('happens once when two ask at once: the second waits and finds it done', async () => {
    const script = `sleep 0.3; cp '${await give('a.whl', wheel())}' "$dest/tensorflow-2.21.0-x.whl"`;
    const calls = await fakePip(folder.path, script);
    const log = memoryLog();
    const [a, b] = await Promise.all([install({ log }), install({ log })]);
    expect(a).toEqual(b);
    expect(await downloads(calls)).toBe(1);
    expect(log.lines).toContain(`another installation is running (process ${process.pid}); waiting for it`);
  });

  it('is repeated only when a byte has changed', async () => {
    const calls = await fakePip(
      folder.path,
      `cp '${await give('a.whl', wheel())}' "$dest/tensorflow-2.21.0-x.whl"`,
    );
    const { ccLibrary } = await install();
    await install();
    expect(await downloads(calls)).toBe(1);
    const bytes = await readFile(ccLibrary);
    bytes[bytes.length - 1] ^= 1;
    await writeFile(ccLibrary, bytes);
    const log = memoryLog();
    await install({ log });
    expect(log.lines[0]).toMatch(/^warning: .*cpu-2.21.0 is damaged and is installed again/);
    expect(await downloads(calls)).toBe(2);
    expect(await readFile(ccLibrary)).toEqual(hostLibrary('TF_Version'));
  });

  it('refuses what is not the wheel that was tried', async () => {
    await fakePip(folder.path, `cp '${await give('a.whl', wheel())}' "$dest/${DOWNLOADED}"`);
    await expect(install({ hashes: new Map([[DOWNLOADED, 'f'.repeat(64)]]) })).rejects.toThrow(
      /tensorflow-2\.21\.0-x\.whl: sha256: is not the wheel that scrl was tried with/,
    );
    await expect(install({ hashes: new Map() })).rejects.toThrow('is no wheel that scrl knows');
    expect(await readdir(engines())).toEqual([]);
  });

  it('does not run a pip that lies in the current folder', async () => {
    const hostile = at('data set');
    await mkdir(hostile);
    await writeFile(join(hostile, 'pip.py'), `open(${JSON.stringify(at('hacked'))}, 'w').close()`);
    const before = process.cwd();
    process.chdir(hostile);
    try {
      const calls = await fakePip(
        folder.path,
        `test -e pip.py && touch '${at('hacked')}'; cp '${await give('a.whl', wheel())}' "$dest/${DOWNLOADED}"`,
      );
      await install();
      expect(await downloads(calls)).toBe(1);
    } finally {
      process.chdir(before);
    }
    await expect(readFile(at('hacked'))).rejects.toThrow('ENOENT');
  });

  it('names the wheel to fetch when there is neither pip nor network', async () => {
    vi.stubEnv('PATH', at('nothing'));
    vi.stubEnv('PIP_CONFIG_FILE', '/dev/null');
    vi.stubEnv('PIP_INDEX_URL', 'http://127.0.0.1:1/simple');
    await expect(install()).rejects.toThrow(
      /get (tensorflow\S*-2.21.0-cp312-cp312-\w+.whl) from https:\S+, then: scrl engine install --from \1$/,
    );
    expect(await readdir(engines())).toEqual([]);
  });

  it('does not begin on a disk that is too small', async () => {
    const calls = await fakePip(folder.path, 'exit 1');
    disk.free = 1e9;
    await expect(install()).rejects.toThrow(/1\.\d GB are needed, but only 1\.0 GB are free/);
    await expect(readFile(calls)).rejects.toThrow('ENOENT');
  });

  it.runIf(here === 'linux-x64')('brings the packages that TensorFlow names for CUDA', async () => {
    const tensorflow = await give('a.whl', wheel());
    const cudnn = await give('n.whl', zip({ 'nvidia/cudnn/lib/libcudnn.so.9': 'x' }));
    const calls = await fakePip(
      folder.path,
      `case "$1" in *nvidia*) cp '${cudnn}' "$dest/nvidia_cudnn_cu12-9.3-x.whl";; *) cp '${tensorflow}' "$dest/tensorflow-2.21.0-x.whl";; esac`,
    );
    const engine = await install({ cuda: true });
    expect(engine.preload).toEqual([join(engine.folder, 'nvidia/cudnn/lib/libcudnn.so.9')]);
    const [first, second] = (await readFile(calls, 'utf8')).trim().split('\n');
    expect(first).toMatch(/ tensorflow==2.21.0$/);
    expect(second).toMatch(/ nvidia-cublas-cu12<13.0,>=12.5 nvidia-cudnn-cu12<10.0,>=9.3$/);
  });

  it('is done on first use after saying so, and not on the second', async () => {
    const main = hostLibrary(...(await import('../../../src/tensorflow/capi.js')).REQUIRED_SYMBOLS);
    const calls = await fakePip(
      folder.path,
      `cp '${await give('a.whl', wheel({ main }))}' "$dest/tensorflow-2.21.0-x.whl"`,
    );
    const log = memoryLog();
    const sha256 = createHash('sha256').update(wheel({ main })).digest('hex');
    const engine = await ensureEngine({ log, hashes: new Map([[DOWNLOADED, sha256]]) });
    expect(log.lines[0]).toBe('no usable TensorFlow runtime is installed; it is installed once, now');
    expect(await ensureEngine({ log })).toEqual(engine);
    expect(await downloads(calls)).toBe(1);
    expect(log.lines).toHaveLength(3);
  });
});
