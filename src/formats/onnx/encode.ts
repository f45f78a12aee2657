/**
 * An ONNX model as the bytes of a protocol buffer, except for the elements of its tensors: those are left as sources, so
 * that lengths are known, and everything before and after them can be written, without any of them in memory.
 *
 * Fields stand in the order of their numbers, which are those of onnx.proto. Equal models give equal pieces.
 */

import { type DType, elementCount, elementSize, type TensorSource } from '../../core/array.js';
import { bytesField, bytesHead, floatField, message, stringField, varintField } from '../../core/protobuf.js';
import type { OnnxAttribute, OnnxGraph, OnnxModel, OnnxNode, OnnxValue } from './model.js';

/** Bytes of the file, or a tensor whose elements, in little-endian order, stand there. */
export type Piece = Uint8Array | TensorSource;

const MODEL = {
  irVersion: 1,
  producerName: 2,
  docString: 6,
  graph: 7,
  opsetImport: 8,
  metadata: 14,
} as const;
const OPERATOR_SET = { version: 2 } as const;
const ENTRY = { key: 1, value: 2 } as const;
const GRAPH = { node: 1, name: 2, initializer: 5, input: 11, output: 12 } as const;
const NODE = { input: 1, output: 2, name: 3, opType: 4, attribute: 5 } as const;
const ATTRIBUTE = { name: 1, float: 2, int: 3, ints: 8, type: 20 } as const;
const TENSOR = { dims: 1, dataType: 2, name: 8, rawData: 9 } as const;
const VALUE_INFO = { name: 1, type: 2, docString: 3 } as const;
const TYPE = { tensor: 1 } as const;
const TENSOR_TYPE = { elementType: 1, shape: 2 } as const;
const SHAPE = { dimension: 1 } as const;
const DIMENSION = { value: 1, parameter: 2 } as const;

/** AttributeProto.AttributeType */
const ATTRIBUTE_TYPE = { float: 1, int: 2, ints: 7 } as const;

/** TensorProto.DataType */
const DATA_TYPE: Readonly<Record<DType, number>> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int16: 5,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  bfloat16: 16,
};

/** The pieces of a ModelProto, in order. */
export function encodeModel(model: OnnxModel): Piece[] {
  const graph = encodeGraph(model.graph);
  return [
    message(
      varintField(MODEL.irVersion, model.irVersion),
      stringField(MODEL.producerName, model.producer),
      stringField(MODEL.docString, model.doc),
      bytesHead(MODEL.graph, sizeOfPieces(graph)),
    ),
    ...graph,
    message(
      bytesField(MODEL.opsetImport, varintField(OPERATOR_SET.version, model.opset)),
      ...[...model.metadata].map(([key, value]) =>
        bytesField(MODEL.metadata, message(stringField(ENTRY.key, key), stringField(ENTRY.value, value))),
      ),
    ),
  ];
}

/** Bytes of all pieces together. */
export function sizeOfPieces(pieces: readonly Piece[]): number {
  return pieces.reduce((total, piece) => total + sizeOf(piece), 0);
}

function sizeOf(piece: Piece): number {
  return piece instanceof Uint8Array ? piece.length : elementCount(piece.shape) * elementSize(piece.dtype);
}

function encodeGraph({ name, nodes, initializers, inputs, outputs }: OnnxGraph): Piece[] {
  return [
    message(...nodes.map((node) => bytesField(GRAPH.node, encodeNode(node))), stringField(GRAPH.name, name)),
    ...[...initializers].flatMap(([key, tensor]) => encodeInitializer(key, tensor)),
    message(
      ...inputs.map((value) => bytesField(GRAPH.input, encodeValue(value))),
      ...outputs.map((value) => bytesField(GRAPH.output, encodeValue(value))),
    ),
  ];
}

function encodeInitializer(name: string, tensor: TensorSource): Piece[] {
  const size = sizeOf(tensor);
  const head = message(
    ...tensor.shape.map((side) => varintField(TENSOR.dims, side)),
    varintField(TENSOR.dataType, DATA_TYPE[tensor.dtype]),
    stringField(TENSOR.name, name),
    bytesHead(TENSOR.rawData, size),
  );
  return [message(bytesHead(GRAPH.initializer, head.length + size), head), tensor];
}

function encodeNode({ name, op, inputs, outputs, attributes = {} }: OnnxNode): Uint8Array {
  return message(
    ...inputs.map((input) => stringField(NODE.input, input)),
    ...outputs.map((output) => stringField(NODE.output, output)),
    stringField(NODE.name, name),
    stringField(NODE.opType, op),
    ...Object.entries(attributes).map(([key, value]) =>
      bytesField(NODE.attribute, message(stringField(ATTRIBUTE.name, key), encodeAttribute(value))),
    ),
  );
}

function encodeAttribute(value: OnnxAttribute): Uint8Array {
  if ('int' in value) {
    return message(varintField(ATTRIBUTE.int, value.int), varintField(ATTRIBUTE.type, ATTRIBUTE_TYPE.int));
  }
  if ('float' in value) {
    return message(
      floatField(ATTRIBUTE.float, value.float),
      varintField(ATTRIBUTE.type, ATTRIBUTE_TYPE.float),
    );
  }
  return message(
    ...value.ints.map((item) => varintField(ATTRIBUTE.ints, item)),
    varintField(ATTRIBUTE.type, ATTRIBUTE_TYPE.ints),
  );
}

function encodeValue({ name, dtype, shape, doc }: OnnxValue): Uint8Array {
  const dimensions = shape.map((side) =>
    typeof side === 'number' ? varintField(DIMENSION.value, side) : stringField(DIMENSION.parameter, side),
  );
  const tensor = message(
    varintField(TENSOR_TYPE.elementType, DATA_TYPE[dtype]),
    bytesField(TENSOR_TYPE.shape, message(...dimensions.map((side) => bytesField(SHAPE.dimension, side)))),
  );
  return message(
    stringField(VALUE_INFO.name, name),
    bytesField(VALUE_INFO.type, bytesField(TYPE.tensor, tensor)),
    stringField(VALUE_INFO.docString, doc),
  );
}
