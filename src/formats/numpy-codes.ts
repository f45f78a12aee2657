/** NumPy's codes of element types, without byte order: `f4` of `<f4`. It has no bfloat16. */

import type { DType } from '../core/array.js';

export const CODE_OF_DTYPE: ReadonlyMap<DType, string> = new Map([
  ['float64', 'f8'],
  ['float32', 'f4'],
  ['float16', 'f2'],
  ['int64', 'i8'],
  ['int32', 'i4'],
  ['int16', 'i2'],
  ['int8', 'i1'],
  ['uint8', 'u1'],
  ['bool', 'b1'],
]);

export const DTYPE_OF_CODE: ReadonlyMap<string, DType> = new Map(
  [...CODE_OF_DTYPE].map(([dtype, code]) => [code, dtype]),
);
