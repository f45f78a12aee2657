/** Element types of tensors, for the folders that may see the engine but not TensorFlow. */
export {
  type ElementArray,
  type ElementType,
  TF_FLOAT,
  TF_INT32,
  TF_INT64,
  TF_UINT8,
} from '../tensorflow/dtype.js';
export type { AttributeValue, Operation } from '../tensorflow/graph.js';
