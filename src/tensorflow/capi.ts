/**
 * Declarations of the part of TensorFlow's C API (tensorflow/c/c_api.h) that scrl uses. No logic.
 *
 * Pointers are `bigint` addresses; `null` is the null pointer. Arrays are handed over as typed arrays whose memory the
 * callee reads or writes in place. A `TF_Output` (operation, index) is 16 bytes: see `packOutputs` in graph.ts.
 */

import koffi from 'koffi';

export type Pointer = bigint;
/** Memory that the library reads or writes: an address, or a typed array that must stay alive during the call. */
export type Memory = Pointer | NodeJS.ArrayBufferView | null;

/** The `TF_Output` struct, for calls that take one by value. */
export interface OutputStruct {
  oper: Pointer;
  index: number;
}

const P = 'void *';
const OUTPUT = koffi.struct('TF_Output', { oper: P, index: 'int' });

/** Name, result, arguments. `as const` lets `CApi` be checked against it. */
const DECLARATIONS = {
  TF_Version: ['str', []],
  TF_NewStatus: [P, []],
  TF_DeleteStatus: ['void', [P]],
  TF_GetCode: ['int', [P]],
  TF_Message: ['str', [P]],
  TF_NewBuffer: [P, []],
  TF_DeleteBuffer: ['void', [P]],
  TF_NewGraph: [P, []],
  TF_DeleteGraph: ['void', [P]],
  TF_GraphGetOpDef: ['void', [P, 'str', P, P]],
  TF_NewOperation: [P, [P, 'str', 'str']],
  TF_AddInput: ['void', [P, OUTPUT]],
  TF_AddInputList: ['void', [P, P, 'int']],
  TF_AddControlInput: ['void', [P, P]],
  TF_SetDevice: ['void', [P, 'str']],
  TF_SetAttrType: ['void', [P, 'str', 'int']],
  TF_SetAttrTypeList: ['void', [P, 'str', P, 'int']],
  TF_SetAttrInt: ['void', [P, 'str', 'int64']],
  TF_SetAttrIntList: ['void', [P, 'str', P, 'int']],
  TF_SetAttrFloat: ['void', [P, 'str', 'float']],
  TF_SetAttrBool: ['void', [P, 'str', 'uint8']],
  TF_SetAttrString: ['void', [P, 'str', 'str', 'size_t']],
  TF_SetAttrShape: ['void', [P, 'str', P, 'int']],
  TF_SetAttrTensor: ['void', [P, 'str', P, P]],
  TF_FinishOperation: [P, [P, P]],
  TF_OperationNumOutputs: ['int', [P]],
  TF_OperationOutputType: ['int', [OUTPUT]],
  TF_GraphGetTensorNumDims: ['int', [P, OUTPUT, P]],
  TF_GraphGetTensorShape: ['void', [P, OUTPUT, P, 'int', P]],
  TF_AllocateTensor: [P, ['int', P, 'int', 'size_t']],
  TF_TensorData: [P, [P]],
  TF_TensorByteSize: ['size_t', [P]],
  TF_TensorType: ['int', [P]],
  TF_NumDims: ['int', [P]],
  TF_Dim: ['int64', [P, 'int']],
  TF_DeleteTensor: ['void', [P]],
  TF_NewSessionOptions: [P, []],
  TF_DeleteSessionOptions: ['void', [P]],
  TF_SetConfig: ['void', [P, P, 'size_t', P]],
  TF_NewSession: [P, [P, P, P]],
  TF_CloseSession: ['void', [P, P]],
  TF_DeleteSession: ['void', [P, P]],
  TF_SessionRun: ['void', [P, P, P, P, 'int', P, P, 'int', P, 'int', P, P]],
  TF_SessionListDevices: [P, [P, P]],
  TF_DeviceListCount: ['int', [P]],
  TF_DeviceListName: ['str', [P, 'int', P]],
  TF_DeviceListType: ['str', [P, 'int', P]],
  TF_DeleteDeviceList: ['void', [P]],
} as const;

type Name = keyof typeof DECLARATIONS;

/** The symbols that a TensorFlow library must have; the installer checks for them without loading the library. */
export const REQUIRED_SYMBOLS: readonly string[] = Object.keys(DECLARATIONS);

// biome-ignore lint/suspicious/noExplicitAny: the foreign-function boundary; every call is wrapped by a typed function.
type Foreign = ((...args: any[]) => any) & { async: (...args: any[]) => void };

/** Every declared function, callable, and the two helpers from the C library that move memory. */
export type CApi = Record<Name, Foreign> & {
  /** Copies `bytes` bytes; either side may be an address or a typed array. */
  memcpy(target: Memory, source: Memory, bytes: number): void;
};

/**
 * Loads the library and binds every declared function.
 *
 * @param libraries paths, in the order in which they must be loaded; functions are looked up from the last to the first
 * @throws Error naming the first library that cannot be loaded or the first symbol that is missing
 */
export function bindCApi(libraries: readonly string[]): CApi {
  const handles = libraries.map((path) => koffi.load(path, { global: true }));
  // koffi closes its libraries when the process ends, and TensorFlow's threads would run into unmapped code: one more
  // reference, never given back, keeps them mapped.
  const dlopen = koffi.load(null).func('dlopen', P, ['str', 'int']);
  const RTLD_LAZY = 1;
  for (const path of libraries) dlopen(path, RTLD_LAZY);
  handles.reverse();
  const bound: Record<string, Foreign> = {};
  for (const [name, [result, parameters]] of Object.entries(DECLARATIONS)) {
    bound[name] = lookUp(handles, name, result, parameters);
  }
  // The C library is among the dependencies of every TensorFlow library, so its symbols are found through it.
  bound.memcpy = lookUp(handles, 'memcpy', P, [P, P, 'size_t']);
  return bound as CApi;
}

/** The address of a typed array's memory. The caller keeps the array alive as long as the address is in use. */
export function addressOf(memory: NodeJS.ArrayBufferView): Pointer {
  return koffi.address(memory);
}

type Handle = ReturnType<typeof koffi.load>;
type Parameters = (typeof DECLARATIONS)[Name][1];

function lookUp(handles: Handle[], name: string, result: string, parameters: Parameters | string[]): Foreign {
  let failure: unknown;
  for (const handle of handles) {
    try {
      return handle.func(name, result, [...parameters]);
    } catch (error) {
      failure = error;
    }
  }
  throw new Error(`missing symbol ${name}`, { cause: failure });
}
