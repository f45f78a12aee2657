/** Arranges a network as the toolkit that will read it expects it. */

import type { ResNetName } from '../core/architectures.js';
import type { TensorSource } from '../core/array.js';
import { type FileDict, type FileValue, float } from '../formats/value.js';
import type { SpellingName } from '../models/backbone/spellings.js';
import { toClassOrder } from './class-rows.js';
import { bodyPrefix, type DetectorName, detectorKey } from './names/detector.js';
import { CLASSIFIER, isCounter, resnetNames } from './names/resnet.js';
import type { StateDict } from './state-dict.js';
import type { Model } from './take-model.js';

/** Whose names the file gets. */
export const CONVENTIONS = ['scrl', 'torchvision', 'detectron2'] as const;
export type Convention = (typeof CONVENTIONS)[number];

export interface Arranged {
  readonly value: FileDict;
  /** What was left out on purpose, and why. */
  readonly dropped: readonly { name: string; reason: string }[];
}

export function arrange(model: Model, convention: Convention): Arranged {
  switch (convention) {
    case 'torchvision':
      return { value: named(model, 'torchvision'), dropped: [] };
    case 'detectron2':
      return asDetectron2(model);
    case 'scrl':
      return asScrl(model);
  }
}

/**
 * Detectron2's dict. A backbone goes without prefix and with the name matching by suffix that Detectron2 offers for this:
 * so it serves models with and without FPN. A detector has exact names.
 */
function asDetectron2(model: Model): Arranged {
  const { dict, dropped } = withoutClassifier(model, 'Detectron2 has no classifier in a backbone');
  const value = new Map<string, FileValue>([
    ['model', named({ ...model, backbone: dict }, 'detectron2')],
    ['__author__', 'scrl convert'],
    ['matching_heuristics', model.detector === undefined],
  ]);
  return { value, dropped };
}

/** The reference's checkpoint, as far as a backbone fills it: both networks start from it. */
function asScrl(model: Model): Arranged {
  const { dict, dropped } = withoutClassifier(model, 'its classifier is trained after pretraining');
  const encoder = renamed(dict, 'sequential', model.network, 'encoder.');
  const parts = [...(model.detector?.parts.keys() ?? [])];
  const value = new Map<string, FileValue>([
    ['tag', 'converted'],
    ['epoch', 0],
    ['max_eval_score', float(0)],
    ['max_eval_epoch', 0],
    ['online_network_state_dict', encoder],
    ['target_network_state_dict', encoder],
  ]);
  return {
    value,
    dropped: [...dropped, ...parts.map((name) => ({ name, reason: 'no part of pretraining' }))],
  };
}

/** What inference needs of the backbone, by torchvision's names, and nothing behind it. */
export function backboneOnly(model: Model): Arranged {
  const { dict, dropped } = withoutClassifier(model, 'the network ends with its features');
  const counters = [...dict.keys()].filter(isCounter);
  const parts = [...(model.detector?.parts.keys() ?? [])];
  return {
    value: new Map([...dict].filter(([key]) => !isCounter(key))),
    dropped: [
      ...dropped,
      ...counters.map((name) => ({ name, reason: 'counts training steps' })),
      ...parts.map((name) => ({ name, reason: 'only the backbone is exported' })),
    ],
  };
}

function withoutClassifier({ backbone }: Model, reason: string) {
  const isClassifier = (key: string) => (CLASSIFIER as readonly string[]).includes(key);
  return {
    dict: new Map([...backbone].filter(([key]) => !isClassifier(key))),
    dropped: [...backbone.keys()].filter(isClassifier).map((name) => ({ name, reason })),
  };
}

/** A network by a toolkit's names: a backbone without prefix, a detector whole. */
export function named(model: Model, toolkit: DetectorName & SpellingName): StateDict {
  const { network, backbone, detector } = model;
  if (detector === undefined) return renamed(backbone, toolkit, network, '');
  const behind = [...detector.parts].map(([key, source]): [string, TensorSource] => [
    detectorKey(toolkit, key),
    toClassOrder(toolkit, key, source, detector.classes),
  ]);
  return new Map([...renamed(backbone, toolkit, network, bodyPrefix(toolkit)), ...behind]);
}

function renamed(dict: StateDict, spelling: SpellingName, network: ResNetName, prefix: string): StateDict {
  const theirs = new Map([...resnetNames(spelling, network)].map(([name, ours]) => [ours, prefix + name]));
  return new Map(
    [...dict].map(([key, source]) => {
      const name = theirs.get(key);
      if (name === undefined) throw new Error(`unreachable: ${key} is no name of ${network}`);
      return [name, source];
    }),
  );
}
