/** Expected values are what Python's pickle module gives for the same opcodes; pickles are written out as text. */

import { describe, expect, it } from 'vitest';
import { BUILTIN_BUILDERS } from '../../../src/formats/pickle/builtins.js';
import { readPickle } from '../../../src/formats/pickle/machine.js';
import { reveal } from '../../../src/formats/pickle/reveal.js';
import { budgetOf, PyFloat, PyOpaque, PyTuple } from '../../../src/formats/pickle/values.js';

const bytesOf = (pickle: string) => Buffer.from(pickle, 'latin1');
const options = { where: 'x.pkl', builders: BUILTIN_BUILDERS };
const load = (pickle: string, strict = false) => readPickle(bytesOf(pickle), { ...options, strict }).value;
const plain = (pickle: string) => reveal(load(pickle), budgetOf(1e6));

describe('values', () => {
  it.each([
    ['\x80\x02N.', null],
    ['\x80\x02\x88.', true],
    ['I00\n.', false],
    ['I-12\n.', -12],
    ['L12345678901234567890L\n.', 12345678901234567890n],
    ['K\xff.', 255],
    ['M\x01\x02.', 513],
    ['J\xfe\xff\xff\xff.', -2],
    ['\x8a\x00.', 0],
    ['\x8a\x01\xff.', -1],
    ['\x8a\x02\xff\x00.', 255],
    ['\x8a\x08\x00\x00\x00\x00\x00\x00\x00\x80.', -(2n ** 63n)],
    ['\x8b\x01\x00\x00\x00\x07.', 7],
    ['G\x3f\xf0\x00\x00\x00\x00\x00\x00.', new PyFloat(1)],
    ['F2.5e3\n.', new PyFloat(2500)],
    ['F-inf\n.', new PyFloat(Number.NEGATIVE_INFINITY)],
    ['X\x02\x00\x00\x00\xc3\xbc.', 'ü'],
    ['\x8c\x01a.', 'a'],
    ['\x8d\x01\x00\x00\x00\x00\x00\x00\x00a.', 'a'],
    ['U\x01\xe9.', 'é'],
    ["S'a\\n\\x41\\'\\\\'\n.", "a\nA'\\"],
    ['V\\u00fc\\n\n.', 'ü\\n'],
    ['](K\x01K\x02e.', [1, 2]],
    ['(lp0\nI1\na.', [1]],
    ['}X\x01\x00\x00\x00aK\x01s.', new Map([['a', 1]])],
    ['(I1\nI2\nd.', new Map([[1, 2]])],
    ['\x8f(K\x01\x90.', [1]],
    ['(K\x01\x91.', [1]],
    ['K\x01K\x02K\x03\x87.', [1, 2, 3]],
    ['(K\x01K\x022t.', [1, 2, 2]],
    ['K\x05K\x060.', 5],
    ['(K\x01(K\x02\x31t.', [1]],
    ['\x80\x04\x95\x05\x00\x00\x00\x00\x00\x00\x00\x8c\x01a\x940h\x00.', 'a'],
    [')]q\x010h\x01K\x07a.', [7]],
  ])('%j', (pickle, value) => {
    expect(plain(pickle)).toEqual(value);
  });

  it('reads bytes of every protocol', () => {
    expect(plain('C\x02\x00\xff.')).toEqual(Buffer.from([0, 255]));
    expect(plain('B\x01\x00\x00\x00a.')).toEqual(Buffer.from('a'));
    expect(plain('c_codecs\nencode\nX\x02\x00\x00\x00\xc3\xbcX\x06\x00\x00\x00latin1\x86R.')).toEqual(
      Uint8Array.of(0xfc),
    );
  });

  it('keeps sharing', () => {
    const found = plain(']q\x00h\x00K\x01a0](h\x00h\x00e.');
    if (!Array.isArray(found)) throw new Error('list');
    expect(found[0]).toBe(found[1]);
  });

  it('builds what is in the table', () => {
    expect(plain('ccollections\nOrderedDict\n)R(X\x01\x00\x00\x00aK\x01u.')).toEqual(new Map([['a', 1]]));
    expect(plain('c__builtin__\nset\n](K\x01K\x02e\x85R.')).toEqual([1, 2]);
    expect(plain('ccollections\ndefaultdict\nc__builtin__\nlist\n\x85RK\x01K\x02s.')).toEqual(
      new Map([[1, 2]]),
    );
    expect(load('(K\x01t.')).toEqual(new PyTuple([1]));
  });
});

describe('safety', () => {
  it('executes nothing: unknown names become opaque, whatever is done with them', () => {
    const attack = 'cposix\nsystem\nX\x04\x00\x00\x00exit\x85R}X\x01\x00\x00\x00aK\x01sb.';
    const value = load(attack);
    expect(value).toBeInstanceOf(PyOpaque);
    expect(value).toMatchObject({ name: 'posix.system', args: ['exit'] });
    expect(() => load(attack, true)).toThrow('x.pkl: posix.system: holds an object that is not weights');
    expect(load('(iargparse\nNamespace\n.')).toMatchObject({ name: 'argparse.Namespace' });
    expect(load('cm\nC\n)\x81(K\x01K\x02u.')).toMatchObject({ name: 'm.C', items: [1, 2] });
    expect(load('(cm\nC\nK\x01o.')).toMatchObject({ name: 'm.C', args: [1] });
    expect(load('cm\nC\n)}\x92.')).toMatchObject({ name: 'm.C' });
  });

  it.each([
    ['', 'ends in the middle of a value'],
    ['K', 'ends in the middle of a value'],
    ['X\xff\xff\xff\xffa.', 'ends in the middle of a value'],
    ['X\x01\x00\x00\x00\xff.', 'text that is not UTF-8'],
    ['\x8b\xff\xff\xff\x7f.', 'integer of 2147483647 bytes'],
    ['.', 'takes more from the stack than it holds'],
    ['K\x01(0a.', 'takes more from the stack than it holds'],
    ['K\x01(\x85.', 'takes more from the stack than it holds'],
    ['t.', 'lacks a mark'],
    ['h\x05.', 'refers to value 5, which was not remembered'],
    ['\x80\x09.', 'protocol 9'],
    ['\x82\x01.', 'opcode 0x82, which is not supported'],
    ['\x97.', 'opcode 0x97, which is not supported'],
    ['K\x01K\x02a.', 'appends to something that is no list'],
    ['}(K\x01u.', 'a key without a value'],
    ['K\x01)R.', 'calls something that is neither class nor function'],
    ['cm\nC\nK\x01R.', 'calls with something that is no tuple'],
    ['K\x01Q.', 'refers to data outside of it'],
    ['K\x01}b.', 'gives a state to a value that has none'],
    ['c_codecs\nencode\nX\x01\x00\x00\x00aX\x05\x00\x00\x00rot13\x86R.', 'in another way than latin1'],
    ['(((((cm\n', 'ends in the middle of a line'],
  ])('refuses %j', (pickle, message) => {
    expect(() => load(pickle)).toThrow(message);
    expect(() => load(pickle)).toThrow(/^x\.pkl: pickle .* \(at byte \d+\)\n/s);
  });

  it('refuses values that contain themselves, and nesting without end', () => {
    expect(() => plain(']q\x00h\x00a.')).toThrow('contains itself');
    expect(() => plain('}q\x00K\x01h\x00s.')).toThrow('contains itself');
    expect(() => plain(`${']'.repeat(300)}${'a'.repeat(299)}.`)).toThrow('more than 200 deep');
    expect(plain(`${']'.repeat(150)}${'a'.repeat(149)}.`)).toBeInstanceOf(Array);
  });

  it('refuses sharing that doubles at every level', () => {
    let bomb = ']q\x00';
    for (let i = 0; i < 60; i++)
      bomb += `0](h${String.fromCharCode(i)}h${String.fromCharCode(i)}eq${String.fromCharCode(i + 1)}`;
    expect(() => plain(`${bomb}.`)).toThrow('repeats values without end');
  });

  it('bounds stack and copies', () => {
    expect(() => load('N'.repeat(200_000))).toThrow('huge stack');
    const list = `c__builtin__\nlist\nq\x00](${'N'.repeat(1000)}eq\x010`;
    const copies = list + 'h\x00h\x01\x85R0'.repeat(1000);
    expect(() => load(`${copies}N.`)).toThrow('far more memory');
    const calls = `cm\nC\nq\x00(${'N'.repeat(1000)}tq\x010}q\x020${'h\x00h\x01h\x02\x920'.repeat(1000)}`;
    expect(() => load(`${calls}N.`)).toThrow('far more memory');
    expect(() => load(`F${'1'.repeat(1_000_000)}x\n.`)).toThrow('float that cannot be read');
    expect(() => load(`L${'1'.repeat(1_000_000)}\n.`)).toThrow('integer that cannot be read');
  });
});
