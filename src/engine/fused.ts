/**
 * Compiles a part of a step into one native function with XLA, TensorFlow's compiler.
 *
 * TensorFlow runs a graph operation by operation, and a chain of element-wise operations then moves its whole data
 * through memory once for each of them. Compiled together they become one loop. Convolutions and matrix products gain
 * nothing from it (on the CPU they lose), so only element-wise chains belong here.
 */

import type { Tensor } from '@tensorflow/tfjs';
import type { Pointer } from '../tensorflow/capi.js';
import { Graph, type Output, packOutputs } from '../tensorflow/graph.js';
import { currentTrace, nodeName, record, toOutput, toTensor } from './recorder.js';

/**
 * Records `work` as one compiled function. It must not assign to variables, and no gradient passes through it.
 *
 * @param inputs tensors that `work` receives in the same order
 */
export function fused(
  name: string,
  inputs: readonly Tensor[],
  work: (inputs: Tensor[]) => Tensor[],
): Tensor[] {
  const { graph } = currentTrace();
  if (!graph.compilesFunctions) return work([...inputs]);
  const args = inputs.map(toOutput);
  const functionName = addFunction(graph, name, args, work);
  const operation = graph.add('PartitionedCall', nodeName(name), [args], {
    Tin: { kind: 'types', value: args.map(({ dtype }) => dtype) },
    Tout: { kind: 'types', value: functionName.results },
    f: { kind: 'function', value: functionName.name },
    _XlaMustCompile: { kind: 'bool', value: true },
  });
  return operation.outputs.map(toTensor);
}

/** Traces `work` into a graph of its own, and adds that graph as a function to `graph`. */
function addFunction(
  graph: Graph,
  name: string,
  args: readonly Output[],
  work: (inputs: Tensor[]) => Tensor[],
): { name: string; results: number[] } {
  const { library } = graph;
  const { c } = library;
  const body = new Graph(library);
  const placeholders: Output[] = [];
  try {
    const { result } = record(body, name, () => {
      const inner = args.map(({ dtype, shape }, i) => {
        const placeholder = body.add('Placeholder', `arg${i}`, [], {
          dtype: { kind: 'type', value: dtype },
          shape: { kind: 'shape', value: shape },
        }).outputs[0];
        placeholders.push(placeholder);
        return toTensor(placeholder);
      });
      return work(inner).map(toOutput);
    });
    const unique = `${name.replace(/[^A-Za-z0-9_]/g, '_')}_${graph.operations}`;
    const compiled: Pointer = library.checked(`function ${name}`, (status) =>
      c.TF_GraphToFunction(
        body.pointer,
        unique,
        0,
        -1,
        null,
        placeholders.length,
        packOutputs(placeholders),
        result.length,
        packOutputs(result),
        null,
        null,
        name,
        status,
      ),
    );
    library.checked(`function ${name}`, (status) =>
      c.TF_GraphCopyFunction(graph.pointer, compiled, null, status),
    );
    c.TF_DeleteFunction(compiled);
    return { name: unique, results: result.map(({ dtype }) => dtype) };
  } finally {
    body.delete();
  }
}
