/**
 * Which parameters get weight decay and a layer-wise rate (LARS), decided by an ordered list of rules.
 *
 * The first rule that matches decides, and a parameter that no rule matches is an error: nothing is treated by accident.
 * By default biases and parameters of normalisation are excluded by their role. The SCRL reference looks for "bn" or
 * "bias" in the name, which misses the norm weights of the stem, the projections of shortcuts and the heads, and moves
 * the excluded parameters with the square of the learning rate; `REFERENCE_RULES` reproduces both. Detectors are trained
 * by SGD without layer-wise rates, and only their norms are surely excluded from decay: `detectorRules`.
 */

import type { ModuleStore, ParameterRole, StateEntry } from '../nn/module-store.js';
import type { SolverParameter, UpdateRule } from './solver.js';

/** What rules look at. */
export interface ParameterDescription {
  /** `online_network`, `predictor`, ... */
  module: string;
  /** Key in the module's state dict, e.g. `encoder.4.0.bn1.weight`. */
  name: string;
  role: ParameterRole;
}

export interface ParameterRule {
  /** For the log: which parameters these are. */
  label: string;
  matches(parameter: ParameterDescription): boolean;
  update: UpdateRule;
}

export const ADAPTED: UpdateRule = { decay: true, adapted: true, squaredRate: false };
const DECAYED: UpdateRule = { decay: true, adapted: false, squaredRate: false };
const EXCLUDED: UpdateRule = { decay: false, adapted: false, squaredRate: false };

/** By role: every bias and every parameter of a norm is excluded. */
export const ROLE_RULES: readonly ParameterRule[] = [
  { label: 'biases', matches: ({ role }) => role === 'bias', update: EXCLUDED },
  {
    label: 'parameters of norms',
    matches: ({ role }) => role === 'norm-weight' || role === 'norm-bias',
    update: EXCLUDED,
  },
  {
    label: 'weights of convolutions and linear layers',
    matches: ({ role }) => role === 'conv' || role === 'linear',
    update: ADAPTED,
  },
];

/** By name, as the SCRL reference does. */
export const REFERENCE_RULES: readonly ParameterRule[] = [
  {
    label: 'names with "bn" or "bias"',
    matches: ({ name }) => name.includes('bn') || name.includes('bias'),
    update: { ...EXCLUDED, squaredRate: true },
  },
  { label: 'all other names', matches: () => true, update: ADAPTED },
];

/** @param referenceQuirks the reference's names and squared rate instead of roles and the plain rate */
export function parameterRules({ referenceQuirks }: { referenceQuirks: boolean }): readonly ParameterRule[] {
  return referenceQuirks ? REFERENCE_RULES : ROLE_RULES;
}

/**
 * Of Detectron2: norms do not decay; biases decay like weights, unless they are not to.
 *
 * @param decayBiases Detectron2's default, `WEIGHT_DECAY_BIAS: None`
 */
export function detectorRules({ decayBiases }: { decayBiases: boolean }): readonly ParameterRule[] {
  return [
    {
      label: 'parameters of norms',
      matches: ({ role }) => role === 'norm-weight' || role === 'norm-bias',
      update: EXCLUDED,
    },
    { label: 'biases', matches: ({ role }) => role === 'bias', update: decayBiases ? DECAYED : EXCLUDED },
    {
      label: 'weights of convolutions and linear layers',
      matches: ({ role }) => role === 'conv' || role === 'linear',
      update: DECAYED,
    },
  ];
}

/** A parameter that a network declared. */
export interface StoredParameter extends ParameterDescription {
  readonly entry: StateEntry;
}

/** What the solver trains of these modules, in their order. */
export function storedParameters(stores: readonly ModuleStore[]): StoredParameter[] {
  return stores.flatMap((store) =>
    store.parameters().map((entry) => {
      if (entry.role === undefined) throw new Error(`${entry.key} is no parameter`);
      return { module: store.module, name: entry.key, role: entry.role, entry };
    }),
  );
}

/** What a solver needs to know: each parameter with what was decided about it. */
export function solverParameters(matches: readonly RuleMatch<StoredParameter>[]): SolverParameter[] {
  return matches.map(({ parameter, rule }) => ({ variable: parameter.entry.variable, rule: rule.update }));
}

export interface RuleMatch<P extends ParameterDescription> {
  parameter: P;
  rule: ParameterRule;
}

/**
 * The first matching rule of each parameter, in the order of the parameters.
 *
 * @throws Error naming the parameters that no rule matches
 */
export function matchRules<P extends ParameterDescription>(
  parameters: readonly P[],
  rules: readonly ParameterRule[],
): RuleMatch<P>[] {
  const unmatched: string[] = [];
  const matches = parameters.flatMap((parameter) => {
    const rule = rules.find(({ matches }) => matches(parameter));
    if (rule !== undefined) return [{ parameter, rule }];
    unmatched.push(`${parameter.module}.${parameter.name} (${parameter.role})`);
    return [];
  });
  if (unmatched.length > 0) throw new Error(`no parameter rule matches ${unmatched.join(', ')}`);
  return matches;
}

/** One line for each rule that was used, in the order of first use: what it decided, for how many and for which. */
export function describeMatches(matches: readonly RuleMatch<ParameterDescription>[]): string[] {
  const names = new Map<ParameterRule, string[]>();
  for (const { parameter, rule } of matches) {
    const list = names.get(rule) ?? [];
    names.set(rule, list);
    list.push(`${parameter.module}.${parameter.name}`);
  }
  return [...names].map(
    ([{ label, update }, list]) =>
      `${label}: ${list.length} tensors, ${describeUpdate(update)}: ${list.join(', ')}`,
  );
}

function describeUpdate({ decay, adapted, squaredRate }: UpdateRule): string {
  if (adapted) return 'LARS and weight decay';
  if (decay) return 'weight decay';
  return squaredRate ? 'no decay, squared rate' : 'no decay, plain rate';
}
