/** Tells what a file of weights is from its first bytes: names lie, and people download error pages and name them `.pth`. */

import { UserError } from '../core/errors.js';
import { type ByteSource, damaged } from './byte-source.js';
import { LEGACY_MAGIC } from './torch/legacy.js';

/** `zip` is PyTorch's container or NumPy's `.npz`; `legacy` is PyTorch's before 1.6; `pickle` is a plain one. */
export type Container = 'zip' | 'legacy' | 'safetensors' | 'pickle';

/** Protocols 0 and 1 have no mark: a dict or list and the number under which it is remembered, or the name of a class. */
const OLD_PICKLE = /^(\([dl]p\d+\n|[}\]]q|c[\w.]+\n[\w.]+\n)/;

/** @throws UserError naming what the file is instead */
export async function detectContainer(source: ByteSource): Promise<Container> {
  if (source.size === 0) throw damaged(source.name, 'is empty');
  const head = Buffer.from(await source.use((read) => read(0, Math.min(source.size, 512))));
  if (head.subarray(0, 4).equals(Buffer.from('PK\x03\x04'))) return 'zip';
  if (head.subarray(0, LEGACY_MAGIC.length).equals(LEGACY_MAGIC)) return 'legacy';
  if (head.length > 8 && head[8] === 0x7b && head.readUInt32LE(4) === 0) return 'safetensors';
  if (head[0] === 0x80 && head[1] >= 2 && head[1] <= 5) return 'pickle';
  if (OLD_PICKLE.test(head.toString('latin1'))) return 'pickle';
  const [problem, remedy] = otherKind(head);
  throw new UserError(`is no file of weights: ${problem}`, { where: source.name, remedy });
}

function otherKind(head: Buffer): [problem: string, remedy: string] {
  const start = head.toString('latin1').trimStart();
  if (head.subarray(257, 262).toString('latin1') === 'ustar') {
    return [
      'a tar archive, perhaps of PyTorch 0.1',
      'load it in Python and save it again with a current PyTorch',
    ];
  }
  if (start.startsWith('<')) {
    return [
      'it is a web page, perhaps an error message',
      'open the link in a browser and download the file itself',
    ];
  }
  if (start.startsWith('version https://git-lfs')) {
    return ['it is a Git LFS pointer, not the file itself', 'run git lfs pull'];
  }
  if (start.startsWith('{') || start.startsWith('[')) {
    return ['it is JSON, perhaps an error message', 'download the file again'];
  }
  if (head[0] === 0x89 && start.slice(1, 4) === 'HDF') {
    return ['it is an HDF5 file, perhaps of Keras', 'save its weights as .npz or .safetensors in Python'];
  }
  return ['its first bytes are unknown', 'name a file of PyTorch, Detectron2, safetensors or NumPy'];
}
