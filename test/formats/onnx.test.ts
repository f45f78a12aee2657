import { describe, expect, it } from 'vitest';
import { DTYPES, hostTensor, type LazyTensor, tensorFromBytes } from '../../src/core/array.js';
import { type ParsedField, parsedText, readFields } from '../../src/core/protobuf.js';
import type { OnnxAttribute, OnnxGraph, OnnxModel } from '../../src/formats/onnx/model.js';
import { writeOnnx } from '../../src/formats/onnx/write.js';
import { MemoryFile } from './memory-file.js';

function modelOf(graph: Partial<OnnxGraph>): OnnxModel {
  const empty = { name: 'g', inputs: [], outputs: [], nodes: [], initializers: new Map() };
  return {
    irVersion: 8,
    opset: 17,
    producer: 'p',
    doc: 'd',
    graph: { ...empty, ...graph },
    metadata: new Map([['k', 'v']]),
  };
}

async function written(model: OnnxModel): Promise<Buffer> {
  const file = new MemoryFile();
  await writeOnnx(file, model);
  return file.bytes;
}

const lazy = (shape: readonly number[], load: LazyTensor['load']): LazyTensor => ({
  dtype: 'float32',
  shape,
  load,
});

const only = (bytes: Uint8Array, number: number): ParsedField[] =>
  [...readFields(bytes)].filter((field) => field.number === number);

/** The fields of a message by number. @param path from the file to it, each field the first of its number */
function fieldsAt(file: Uint8Array, ...path: number[]): ParsedField[] {
  const inner = path.reduce((bytes, number) => only(bytes, number)[0].bytes, file);
  return [...readFields(inner)];
}

describe('writeOnnx', () => {
  it('writes the bytes that onnx.proto asks for', async () => {
    const value = (name: string) => ({ name, dtype: 'float32', shape: ['N', 2], doc: '' }) as const;
    const model = modelOf({
      inputs: [value('x')],
      outputs: [value('y')],
      nodes: [{ name: 'n', op: 'Add', inputs: ['x', 'w'], outputs: ['y'] }],
      initializers: new Map([['w', hostTensor('float32', [2], Float32Array.of(1, -2))]]),
    });
    const text = (letters: string) => Buffer.from(letters).toString('hex');
    const node = [
      '0a01',
      text('x'),
      '0a01',
      text('w'),
      '1201',
      text('y'),
      '1a01',
      text('n'),
      '2203',
      text('Add'),
    ];
    // dims, data_type FLOAT, name, raw_data: little-endian.
    const tensor = ['0802', '1001', '4201', text('w'), '4a08', '0000803f', '000000c0'];
    // name, type { tensor_type { elem_type, shape { dim { dim_param }, dim { dim_value } } } }, empty doc_string
    const type = ['120f', '0a0d', '0801', '1209', '0a03', '1201', text('N'), '0a02', '0802'];
    const info = (name: string) => ['0a01', text(name), ...type, '1a00'];
    const graph = [
      ['0a11', ...node],
      ['1201', text('g')],
      ['2a11', ...tensor],
      ['5a16', ...info('x')],
      ['6216', ...info('y')],
    ].flat();
    const file = ['0808', '1201', text('p'), '3201', text('d'), '3a59', ...graph, '4202', '1011'];
    const metadata = ['7206', '0a01', text('k'), '1201', text('v')];
    expect((await written(model)).toString('hex')).toBe([...file, ...metadata].join(''));
  });

  it('writes attributes with their types', async () => {
    const attributes: Record<string, OnnxAttribute> = {
      a: { int: -1 },
      b: { ints: [3, 0] },
      c: { float: 0.5 },
    };
    const bytes = await written(
      modelOf({ nodes: [{ name: '', op: 'X', inputs: [], outputs: [], attributes }] }),
    );
    const found = only(fieldsAt(bytes, 7)[0].bytes, 5).map((field) =>
      Buffer.from(field.bytes).toString('hex'),
    );
    expect(found).toEqual([
      '0a0161' + '18ffffffffffffffffff01' + 'a00102',
      '0a0162' + '40034000' + 'a00107',
      '0a0163' + '150000003f' + 'a00101',
    ]);
  });

  it('writes every element type with its number and its bytes', async () => {
    const numbers = { float64: 11, float32: 1, float16: 10, bfloat16: 16, int64: 7 };
    const rest = { int32: 6, int16: 5, int8: 3, uint8: 2, bool: 9 };
    const expected: Record<string, number> = { ...numbers, ...rest };
    for (const dtype of DTYPES) {
      const bytes = Uint8Array.from({ length: 8 }, (_, i) => i);
      const size = { float64: 8, int64: 8, float32: 4, int32: 4, float16: 2, bfloat16: 2, int16: 2 };
      const count = 8 / (size[dtype as keyof typeof size] ?? 1);
      const file = await written(
        modelOf({ initializers: new Map([['w', tensorFromBytes(dtype, [count, 1], bytes)]]) }),
      );
      const [rows, columns, type, name, raw] = fieldsAt(file, 7, 5);
      expect([rows.value, columns.value, type.value], dtype).toEqual([count, 1, expected[dtype]]);
      expect([parsedText(name), [...raw.bytes]], dtype).toEqual(['w', [...bytes]]);
    }
  });

  it('loads tensors one after the other, each when its place has come', async () => {
    const file = new MemoryFile();
    const sizes: number[] = [];
    const tensor = (value: number) =>
      lazy([1000], async () => {
        sizes.push(file.bytes.length);
        return hostTensor('float32', [1000], new Float32Array(1000).fill(value));
      });
    const initializers = new Map(['a', 'b', 'c'].map((name, i) => [name, tensor(i)]));
    await writeOnnx(file, modelOf({ initializers }));
    expect(sizes.map((size) => Math.floor(size / 4000))).toEqual([0, 1, 2]);
    const found = only(only(file.bytes, 7)[0].bytes, 5).map(({ bytes }) => {
      const raw = Buffer.from(only(bytes, 9)[0].bytes);
      return [parsedText(only(bytes, 8)[0]), raw.length, raw.readFloatLE(0), raw.readFloatLE(3996)];
    });
    expect(found).toEqual([
      ['a', 4000, 0, 0],
      ['b', 4000, 1, 1],
      ['c', 4000, 2, 2],
    ]);
  });

  it('writes tensors without elements, and scalars', async () => {
    const initializers = new Map([
      ['none', hostTensor('float32', [0, 3], new Float32Array(0))],
      ['one', hostTensor('float32', [], Float32Array.of(1))],
    ]);
    const [none, one] = only(only(await written(modelOf({ initializers })), 7)[0].bytes, 5);
    expect(only(none.bytes, 1).map(({ value }) => value)).toEqual([0, 3]);
    expect(only(none.bytes, 9)[0].bytes.length).toBe(0);
    expect(only(one.bytes, 1)).toEqual([]);
    expect(only(one.bytes, 9)[0].bytes.length).toBe(4);
  });

  it('refuses what protobuf cannot hold, before it writes or loads anything', async () => {
    const file = new MemoryFile();
    const never = lazy([2 ** 29 - 100], () => Promise.reject(new Error('was loaded')));
    const model = (...tensors: LazyTensor[]) =>
      modelOf({ name: 'big', initializers: new Map(tensors.map((tensor, i) => [`${i}`, tensor])) });
    await expect(writeOnnx(file, model(lazy([2 ** 29], never.load)))).rejects.toMatchObject({
      name: 'UserError',
      message: expect.stringMatching(/^big: does not fit into an ONNX file: 2147483\d{3} bytes, and it may/),
    });
    await expect(writeOnnx(file, model(never, never))).rejects.toThrow('does not fit into an ONNX file');
    expect(file.bytes.length).toBe(0);
    await expect(writeOnnx(file, model(never))).rejects.toThrow('was loaded');
  });

  it('refuses a tensor that is not as it announced', async () => {
    const liar = lazy([2], async () => hostTensor('float32', [3], new Float32Array(3)));
    await expect(written(modelOf({ initializers: new Map([['w', liar]]) }))).rejects.toThrow(
      'tensor announced as float32 [2] turned out to be float32 [3]',
    );
  });
});
