/** What kind of file is to be written, from its name and `--to`. */

import { basename, extname } from 'node:path';
import type { Convention } from '../../checkpoint/targets.js';
import type { Container } from '../../checkpoint/write-weights.js';
import { UserError } from '../../core/errors.js';

export const TARGETS = ['scrl', 'torchvision', 'detectron2', 'safetensors', 'tfjs', 'npz', 'onnx'] as const;
export type TargetName = (typeof TARGETS)[number];

export interface Target {
  readonly container: Container | 'onnx';
  /** Whose names; undefined: torchvision's for a backbone, Detectron2's for a detector. */
  readonly convention: Convention | undefined;
}

const BY_SUFFIX: Readonly<Record<string, Container | 'onnx'>> = {
  '.pth': 'pth',
  '.pt': 'pth',
  '.tar': 'pth',
  '.bin': 'pth',
  '.pkl': 'pkl',
  '.safetensors': 'safetensors',
  '.npz': 'npz',
  '.onnx': 'onnx',
  '': 'tfjs',
};

/** Which files may hold a target; the first is the one for a name that does not say. */
const CONTAINERS_OF: Readonly<Record<TargetName, readonly (Container | 'onnx')[]>> = {
  scrl: ['pth'],
  torchvision: ['pth', 'safetensors', 'npz', 'tfjs'],
  detectron2: ['pkl', 'pth'],
  safetensors: ['safetensors'],
  tfjs: ['tfjs'],
  npz: ['npz'],
  onnx: ['onnx'],
};

/** @throws UserError when the name and `--to` contradict each other, or neither says anything */
export function targetOf(output: string, to: TargetName | undefined): Target {
  if (output === '') throw new UserError('is empty', { key: 'OUT', remedy: 'name the file to write' });
  const suffix = extname(basename(output)).toLowerCase();
  const named = BY_SUFFIX[suffix];
  if (to === undefined) {
    if (named === undefined) {
      throw new UserError('the suffix does not say what to write', {
        where: output,
        value: suffix,
        remedy: `use .pth, .pkl, .safetensors, .npz, .onnx or none (a folder for TensorFlow.js), or say --to ${TARGETS.join('|')}`,
      });
    }
    return { container: named, convention: named === 'pkl' ? 'detectron2' : undefined };
  }
  const possible = CONTAINERS_OF[to];
  const container = named === undefined || (named === 'tfjs' && suffix === '') ? undefined : named;
  if (container !== undefined && !possible.includes(container)) {
    throw new UserError(`a ${suffix} file cannot be written with --to ${to}`, {
      where: output,
      remedy: `name it ${possible.map((kind) => suffixOf(kind)).join(' or ')}, or leave --to away`,
    });
  }
  const convention = to === 'scrl' || to === 'torchvision' || to === 'detectron2' ? to : undefined;
  return { container: container ?? possible[0], convention };
}

function suffixOf(container: Container | 'onnx'): string {
  return container === 'tfjs' ? 'without suffix (a folder)' : `*.${container}`;
}
