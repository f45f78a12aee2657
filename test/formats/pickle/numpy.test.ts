/** Pickles as NumPy writes them; expected arrays are readable from the bytes. */

import { describe, expect, it } from 'vitest';
import { hostTensor } from '../../../src/core/array.js';
import { BUILTIN_BUILDERS } from '../../../src/formats/pickle/builtins.js';
import { readPickle } from '../../../src/formats/pickle/machine.js';
import { NUMPY_BUILDERS } from '../../../src/formats/pickle/numpy.js';
import { reveal } from '../../../src/formats/pickle/reveal.js';
import { budgetOf, PyFloat, PyOpaque } from '../../../src/formats/pickle/values.js';

const builders = new Map([...BUILTIN_BUILDERS, ...NUMPY_BUILDERS]);
const load = (pickle: Uint8Array | string) => {
  const bytes = typeof pickle === 'string' ? Buffer.from(pickle, 'latin1') : pickle;
  return reveal(readPickle(bytes, { where: 'x.pkl', builders }).value, budgetOf(1000));
};

const text = (value: string) => `U${String.fromCharCode(value.length)}${value}`;
const dtype = (code: string, order: string) =>
  `cnumpy\ndtype\n${text(code)}K\0K\x01\x87R(K\x03${text(order)}NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb`;
const array = (shape: string, type: string, columnMajor: boolean, content: string) =>
  `cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85U\x01b\x87R` +
  `(K\x01(${shape}t${type}${columnMajor ? '\x88' : '\x89'}${content}tb.`;

describe('NumPy arrays', () => {
  it('reads protocol 4 of NumPy 2, as Detectron2 writes it', () => {
    // {"model": {"w": [1, 2] float32}, "__author__": "x", "matching_heuristics": True}
    const pickle = Buffer.from(
      '800495cc000000000000007d94288c056d6f64656c947d948c0177948c166e756d70792e5f636f72652e6d756c74696172726179948c0c5f7265' +
        '636f6e7374727563749493948c056e756d7079948c076e6461727261799493944b0085944301629487945294284b014b02859468078c05647479' +
        '70659493948c02663494898887945294284b038c013c944e4e4e4affffffff4affffffff4b007494628943080000803f0000004094749462738c' +
        '0a5f5f617574686f725f5f948c0178948c136d61746368696e675f686575726973746963739488752e',
      'hex',
    );
    expect(load(pickle)).toEqual(
      new Map<string, unknown>([
        ['model', new Map([['w', hostTensor('float32', [2], Float32Array.of(1, 2))]])],
        ['__author__', 'x'],
        ['matching_heuristics', true],
      ]),
    );
  });

  it('reads Python 2 byte strings, either byte order, either memory order', () => {
    const little = text('\x01\0\x02\0\x03\0\x04\0\x05\0\x06\0');
    const big = text('\0\x01\0\x02\0\x03\0\x04\0\x05\0\x06');
    const rows = hostTensor('int16', [2, 3], Int16Array.of(1, 2, 3, 4, 5, 6));
    const columns = hostTensor('int16', [2, 3], Int16Array.of(1, 3, 5, 2, 4, 6));
    expect(load(array('K\x02K\x03', dtype('i2', '<'), false, little))).toEqual(rows);
    expect(load(array('K\x02K\x03', dtype('i2', '>'), false, big))).toEqual(rows);
    expect(load(array('K\x02K\x03', dtype('i2', '<'), true, little))).toEqual(columns);
  });

  it('reads arrays from buffers', () => {
    const pickle = `cnumpy._core.numeric\n_frombuffer\n(\x96\x02\0\0\0\0\0\0\0\x05\x06${dtype('u1', '|')}K\x02\x85U\x01CtR.`;
    expect(load(pickle)).toEqual(hostTensor('uint8', [2], Uint8Array.of(5, 6)));
  });

  it('keeps types that tensors do not have opaque', () => {
    expect(load(array('K\x01', dtype('c8', '<'), false, text('12345678')))).toBeInstanceOf(PyOpaque);
  });

  it('refuses bytes that do not fit the shape, and memory out of proportion', () => {
    expect(() => load(array('K\x02', dtype('i2', '<'), false, text('\0\0\0')))).toThrow(
      'do not fit its shape',
    );
    expect(() => load(array('K\x02', 'N', false, text('\0\0\0')))).toThrow('without a dtype');
    const large = `T\xb0\x04\0\0${'x'.repeat(1200)}`;
    expect(() => load(array('M\xb0\x04', dtype('u1', '|'), false, large))).toThrow('far more memory');
  });
});

describe('NumPy scalars', () => {
  it.each([
    ['f8', '\0\0\0\0\0\0\xf0\x3f', new PyFloat(1)],
    ['f4', '\0\0\0\xc0', new PyFloat(-2)],
    ['f2', '\0\x3c', new PyFloat(1)],
    ['i4', '\xff\xff\xff\xff', -1],
    ['i8', '\xff\xff\xff\xff\xff\xff\xff\x7f', 2n ** 63n - 1n],
    ['b1', '\x01', true],
  ])('%s', (code, content, value) => {
    expect(load(`cnumpy.core.multiarray\nscalar\n${dtype(code, '<')}${text(content)}\x86R.`)).toEqual(value);
  });
});
