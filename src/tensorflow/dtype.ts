/** TensorFlow's element types (tensorflow/c/tf_datatype.h), as far as scrl uses them. */

export const TF_FLOAT = 1;
export const TF_INT32 = 3;
export const TF_UINT8 = 4;
export const TF_STRING = 7;
export const TF_COMPLEX64 = 8;
export const TF_INT64 = 9;
export const TF_BOOL = 10;
export const TF_RESOURCE = 20;

/** Element types of feeds, fetches and variables. */
export type ElementType = 'float32' | 'int32' | 'uint8' | 'int64' | 'bool';

export type ElementArray = Float32Array | Int32Array | Uint8Array | BigInt64Array;

const ELEMENTS: Record<
  ElementType,
  { code: number; bytes: number; create: (length: number) => ElementArray }
> = {
  float32: { code: TF_FLOAT, bytes: 4, create: (n) => new Float32Array(n) },
  int32: { code: TF_INT32, bytes: 4, create: (n) => new Int32Array(n) },
  uint8: { code: TF_UINT8, bytes: 1, create: (n) => new Uint8Array(n) },
  int64: { code: TF_INT64, bytes: 8, create: (n) => new BigInt64Array(n) },
  bool: { code: TF_BOOL, bytes: 1, create: (n) => new Uint8Array(n) },
};

export function typeCode(type: ElementType): number {
  return ELEMENTS[type].code;
}

export function elementBytes(type: ElementType): number {
  return ELEMENTS[type].bytes;
}

export function createElements(type: ElementType, length: number): ElementArray {
  return ELEMENTS[type].create(length);
}

/** The element type of a TensorFlow type code. @throws Error for types that never leave a graph here */
export function elementType(code: number): ElementType {
  for (const [name, { code: known }] of Object.entries(ELEMENTS)) {
    if (known === code) return name as ElementType;
  }
  throw new Error(`TensorFlow type ${code} cannot be fed or fetched`);
}

export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, side) => product * side, 1);
}
