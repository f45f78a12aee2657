/** `scrl convert` and `scrl inspect` as users run them, on a checkpoint as pretraining writes it. */

import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { firstDifference } from '../../src/checkpoint/compare-values.js';
import { openWeights } from '../../src/checkpoint/open-weights.js';
import { hostTensor, type TensorSource } from '../../src/core/array.js';
import { writeTorchFile } from '../../src/formats/torch-pth.js';
import { type FileDict, type FileValue, float } from '../../src/formats/value.js';
import { resnet, tensorOf } from '../checkpoint/networks.js';
import { runCli } from '../helpers/cli.js';

let folder: string;
let checkpoint: string;
const run = (...args: string[]) => runCli(folder, args);
const at = (name: string) => join(folder, name);

const module = (...names: string[]) =>
  new Map<string, TensorSource>([
    ...resnet('resnet18', 'sequential', 'encoder.'),
    ...names.map((name) => [name, tensorOf(name, [3])] as const),
  ]);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scrl-convert-'));
  checkpoint = at('checkpoint_1.pth');
  const value: FileDict = new Map<string, FileValue>([
    ['tag', '1'],
    ['epoch', 1],
    ['max_eval_score', float(12.5)],
    ['online_network_state_dict', module('projector.net.0.weight')],
    ['target_network_state_dict', module('projector.net.0.weight')],
    ['predictor_state_dict', new Map([['net.0.weight', tensorOf('p', [3])]])],
    [
      'optimizer_state_dict',
      new Map([['state', new Map([[0, new Map([['momentum_buffer', tensorOf('m', [3])]])]])]]),
    ],
  ]);
  await writeTorchFile(checkpoint, value);
}, 120_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

async function encoderOf(path: string): Promise<FileDict> {
  const { value } = await openWeights(path);
  const online = value.get('online_network_state_dict') as FileDict;
  return new Map([...online].filter(([key]) => String(key).startsWith('encoder.')));
}

describe('convert', () => {
  it('goes to every format and back without losing a bit', async () => {
    const original = await encoderOf(checkpoint);
    let previous = checkpoint;
    for (const name of ['a.pkl', 'b.pth', 'c.safetensors', 'd', 'e.npz']) {
      const { code, out, err } = await run('convert', previous, at(name));
      expect(code, err).toBe(0);
      expect(out).toContain('read back and compared: equal, bit by bit');
      previous = at(name);
    }
    expect((await run('convert', previous, at('back.pth'), '--to', 'scrl')).code).toBe(0);
    expect(await firstDifference(original, await encoderOf(at('back.pth')))).toBeUndefined();
    const { out } = await run('inspect', checkpoint, at('a.pkl'));
    expect(out).toMatch(/no common names[\s\S]*120 tensors are equal, bit by bit$/m);
  });

  it('says what it took, what it left and what it wrote, also as JSON', async () => {
    const { out } = await run('convert', checkpoint, at('said.pkl'));
    expect(out).toMatch(/family {3}SCRL \/ BYOL checkpoint/);
    expect(out).toMatch(
      /network {2}resnet18, online, at online_network_state_dict\/encoder\., 11,176,512 parameters/,
    );
    expect(out).toMatch(/also {5}target_network_state_dict\/encoder\.: choose with --network or --prefix/);
    expect(out).toMatch(/dropped {2}120: part of another network/);
    expect(out).toMatch(/state of the optimizer/);
    expect(out).toMatch(/STRIDE_IN_1X1: False[\s\S]*FORMAT: "RGB"/);
    const json = JSON.parse((await run('convert', checkpoint, at('json.pth'), '--json')).out);
    expect(json.network).toMatchObject({ architecture: 'resnet18', role: 'online', parameters: 11_176_512 });
    expect(json.account.used.length).toBe(120);
    expect(json.account).toMatchObject({ leftover: [], missing: [], wrong: [] });
    expect(json.output).toMatchObject({ format: 'pth', tensors: 120 });
    expect(json.output.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(json.account.dropped.length + json.account.used.length).toBe(120 + 120 + 1 + 1 + 1 + 1);
  });

  it('takes the target network, other types, a run folder of a link', async () => {
    const { out } = await run(
      'convert',
      checkpoint,
      at('target.safetensors'),
      '--network',
      'target',
      '--dtype',
      'float16',
    );
    expect(out).toContain('resnet18, target, at target_network_state_dict/encoder.');
    const { value, metadata } = await openWeights(at('target.safetensors'));
    expect((value.get('conv1.weight') as TensorSource).dtype).toBe('float16');
    expect((value.get('bn1.num_batches_tracked') as TensorSource).dtype).toBe('int64');
    expect(metadata.get('channels')).toBe('RGB');
    symlinkSync('checkpoint_1.pth', at('checkpoint_last.pth'));
    expect((await run('convert', '.', 'linked.onnx')).code).toBe(0);
    expect(existsSync(at('linked.onnx'))).toBe(true);
  });

  it('writes nothing in a dry run', async () => {
    const { code, out } = await run('convert', checkpoint, at('dry.pkl'), '--dry-run');
    expect([code, existsSync(at('dry.pkl'))]).toEqual([0, false]);
    expect(out).toContain('dry run: nothing was written');
  });

  it('keeps an existing file unless told otherwise', async () => {
    writeFileSync(at('there.pkl'), 'precious');
    const { code, err } = await run('convert', checkpoint, at('there.pkl'));
    expect([code, err]).toEqual([2, expect.stringMatching(/there\.pkl: exists already\n.*--overwrite/)]);
    expect(readFileSync(at('there.pkl'), 'utf8')).toBe('precious');
    const damaged = at('damaged.pth');
    await cp(checkpoint, damaged);
    const bytes = readFileSync(damaged);
    bytes[bytes.indexOf(Buffer.from('archive/data/5')) + 2000] ^= 1;
    writeFileSync(damaged, bytes);
    const failed = await run('convert', damaged, at('there.pkl'), '--overwrite');
    expect([failed.code, failed.err]).toEqual([
      2,
      expect.stringMatching(/damaged\.pth: .*checksum is wrong/),
    ]);
    expect(readFileSync(at('there.pkl'), 'utf8')).toBe('precious');
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    expect((await run('convert', checkpoint, at('there.pkl'), '--overwrite')).code).toBe(0);
    expect(readFileSync(at('there.pkl')).length).toBeGreaterThan(40_000_000);
    mkdirSync(at('mine'));
    writeFileSync(at('mine/thesis.tex'), 'precious');
    const kept = await run('convert', checkpoint, at('mine'), '--overwrite');
    expect([kept.code, kept.err]).toEqual([
      2,
      expect.stringMatching(/is a folder that holds something else/),
    ]);
  });

  it('leaves out, and accepts, what is named', async () => {
    const odd = at('odd.pth');
    const dict = new Map<string, TensorSource>(resnet('resnet18'));
    dict.delete('layer1.0.bn1.bias');
    dict.set('layer1.0.bn1.beta', tensorOf('beta', [64]));
    dict.set('bn1.running_var', hostTensor('float32', [64], new Float32Array(64).fill(Number.NaN)));
    await writeTorchFile(odd, dict);
    const refused = await run('convert', odd, at('odd.pkl'));
    expect([refused.code, refused.err]).toEqual([
      2,
      expect.stringMatching(
        /missing \(1\):\n {4}layer1\.0\.bn1\.bias \(nearest: layer1\.0\.bn1\.beta\)\n {2}left over \(1\):/,
      ),
    ]);
    const args = ['convert', odd, at('odd.pkl'), '--drop', '*.beta', '--allow', 'layer1.0.bn1.bias'];
    const infinite = await run(...args);
    expect([infinite.code, infinite.err]).toEqual([
      2,
      expect.stringMatching(/bn1\.running_var: holds 64 values that are NaN/),
    ]);
    expect((await run(...args, '--allow', 'layer1.0.bn1.bias,bn1.running_var')).code).toBe(0);
  });

  it('changes the kind of file only, with all that is in it', async () => {
    expect((await run('convert', checkpoint, at('all.pkl'), '--keep-names')).code).toBe(0);
    const [a, b] = await Promise.all(
      [checkpoint, at('all.pkl')].map(openWeights as (path: string) => ReturnType<typeof openWeights>),
    );
    expect(await firstDifference(a.value, b.value)).toBeUndefined();
  });

  it.each<[string, () => string[], RegExp]>([
    ['a file that is not there', () => ['nowhere.pth', 'x.pkl'], /nowhere\.pth: no such file/],
    [
      'a suffix that says nothing',
      () => [checkpoint, 'x.weights'],
      /x\.weights: the suffix does not say what to write/,
    ],
    [
      'a suffix that contradicts',
      () => [checkpoint, 'x.pkl', '--to', 'safetensors'],
      /a \.pkl file cannot be written with --to safetensors/,
    ],
    ['a folder of something else', () => ['empty', 'x.pkl'], /empty: is a folder with neither a model\.json/],
    ['no name for the file', () => [checkpoint, ''], /OUT: is empty/],
    ['a web page', () => ['page.pth', 'x.pkl'], /page\.pth: is no file of weights: it is a web page/],
    ['a file that is cut off', () => ['cut.pth', 'x.pkl'], /cut\.pth: .*cut off/],
    [
      'a network that is not there',
      () => [checkpoint, 'x.pkl', '--prefix', 'encoder.'],
      /holds no such network; there are\n.*online_network/,
    ],
    ['bfloat16 for NumPy', () => [checkpoint, 'x.pkl', '--dtype', 'bfloat16'], /NumPy has no bfloat16/],
    ['a folder that cannot be made', () => [checkpoint, 'page.pth/x.pkl'], /cannot be (written|created)/],
    ['an unknown flag', () => [checkpoint, 'x.pkl', '--drops', 'a'], /--drops: did you mean --drop\?/],
  ])('refuses %s', async (_name, args, message) => {
    mkdirSync(at('empty'), { recursive: true });
    writeFileSync(at('page.pth'), '<html>not found</html>');
    await cp(checkpoint, at('cut.pth'));
    truncateSync(at('cut.pth'), 50_000_000);
    const { code, err } = await run('convert', ...args());
    expect([code, err]).toEqual([2, expect.stringMatching(message)]);
    expect(existsSync(at('x.pkl'))).toBe(false);
  });
});

describe('inspect', () => {
  it('shows networks, values and tensors', async () => {
    const { out } = await run('inspect', checkpoint, '--filter', '*online*/encoder.1.*');
    expect(out).toMatch(
      /resnet18 at online_network_state_dict\/encoder\.: SCRL \/ BYOL checkpoint, online, names of sequential\n/,
    );
    expect(out).toMatch(/epoch: 1\n {2}max_eval_score: 12\.5/);
    expect(out.split('\n').filter((line) => line.includes('encoder.1.'))).toHaveLength(5);
    const { tensors, networks } = JSON.parse((await run('inspect', checkpoint, '--json')).out);
    expect(tensors).toHaveLength(244);
    expect(tensors[0]).toMatchObject({
      name: 'online_network_state_dict/encoder.0.weight',
      dtype: 'float32',
      shape: [64, 3, 7, 7],
      nonFinite: 0,
    });
    expect(networks).toHaveLength(2);
  });

  it('says in what two files differ', async () => {
    const [a, b] = ['first.pth', 'second.pth'].map(at);
    const vector = (...values: number[]) => hostTensor('float32', [values.length], Float32Array.from(values));
    await writeTorchFile(
      a,
      new Map([
        ['same', vector(1)],
        ['moved', vector(1, 2, 4)],
        ['gone', vector(1)],
        ['shape', vector(1)],
      ]),
    );
    await writeTorchFile(
      b,
      new Map([
        ['same', vector(1)],
        ['moved', vector(1, 2.5, 4)],
        ['new', vector(1)],
        ['shape', vector(1, 2)],
      ]),
    );
    const { out } = await run('inspect', a, b);
    expect(out).toMatch(/1 tensors are equal/);
    expect(out).toMatch(/1 only in the first:\n {2}gone\n1 only in the second:\n {2}new/);
    expect(out).toMatch(/moved +1 of 3 +0\.5 +0\.125/);
    expect(out).toMatch(/shape +float32 \[1\] \/ float32 \[2\]/);
  });

  it('has help with examples, and clear errors', async () => {
    for (const command of ['convert', 'inspect'])
      expect((await run(command, '--help')).out).toMatch(/Examples:\n +scrl/);
    const { code, err } = await run('inspect', at('first.pth'), '--filter', 'nothing*');
    expect([code, err]).toEqual([2, expect.stringMatching(/--filter: fits no tensor/)]);
  });
});
