/** Where a step's time goes: reads TensorFlow's step statistics (tensorflow/core/framework/step_stats.proto). */

import { type ParsedField, parsedText, readFields } from '../core/protobuf.js';

export interface NodeTime {
  /** Full name, with the path of layers. */
  name: string;
  /** Operation type. */
  type: string;
  /** Since the first node's start. */
  startMicroseconds: number;
  microseconds: number;
}

/** @param metadata a serialised RunMetadata {step_stats = 1 {dev_stats = 1 {node_stats = 2}}} */
export function nodeTimes(metadata: Uint8Array): NodeTime[] {
  const nodes: NodeTime[] = [];
  for (const stats of nested(metadata, 1)) {
    for (const device of nested(stats.bytes, 1)) {
      for (const node of nested(device.bytes, 2)) nodes.push(parseNode(node.bytes));
    }
  }
  const start = nodes.reduce((first, node) => Math.min(first, node.startMicroseconds), Infinity);
  for (const node of nodes) node.startMicroseconds -= start;
  return nodes;
}

function nested(data: Uint8Array, number: number): ParsedField[] {
  return [...readFields(data)].filter((field) => field.number === number);
}

/** node_name = 1, all_start_micros = 2, op_start_rel = 3, op_end_rel = 4, timeline_label = 8 "name = Type(inputs)". */
function parseNode(data: Uint8Array): NodeTime {
  const integers = new Map<number, number>();
  let name = '';
  let label = '';
  for (const field of readFields(data)) {
    if (field.number === 1) name = parsedText(field);
    else if (field.number === 8) label = parsedText(field);
    else integers.set(field.number, field.value);
  }
  const type = /= ([A-Za-z0-9_]+)\(/.exec(label)?.[1] ?? name.split(':').at(-1) ?? '';
  return {
    name,
    type,
    startMicroseconds: (integers.get(2) ?? 0) + (integers.get(3) ?? 0),
    microseconds: (integers.get(4) ?? 0) - (integers.get(3) ?? 0),
  };
}
