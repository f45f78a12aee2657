/** Rules for LARS and decay on the names of the reference's ResNet-50 and heads, by role and by the reference's rule. */

import { describe, expect, it } from 'vitest';
import {
  describeMatches,
  detectorRules,
  matchRules,
  type ParameterDescription,
  parameterRules,
  ROLE_RULES,
} from '../../src/solver/param-groups.js';

type Role = ParameterDescription['role'];

function describeAll(module: string, entries: [name: string, role: Role][]): ParameterDescription[] {
  return entries.map(([name, role]) => ({ module, name, role }));
}

/** The parameters of torchvision's ResNet-50 without its classifier, under the names of a nameless sequence. */
function resnet50(): ParameterDescription[] {
  const entries: [string, Role][] = [];
  const layer = (conv: string, norm: string) =>
    entries.push(
      [`${conv}.weight`, 'conv'],
      [`${norm}.weight`, 'norm-weight'],
      [`${norm}.bias`, 'norm-bias'],
    );
  layer('encoder.0', 'encoder.1');
  [3, 4, 6, 3].forEach((blocks, stage) => {
    for (let b = 0; b < blocks; b++) {
      const block = `encoder.${4 + stage}.${b}`;
      for (const n of [1, 2, 3]) layer(`${block}.conv${n}`, `${block}.bn${n}`);
      if (b === 0) layer(`${block}.downsample.0`, `${block}.downsample.1`);
    }
  });
  return describeAll('online_network', entries);
}

function mlp(module: string, prefix: string): ParameterDescription[] {
  return describeAll(module, [
    [`${prefix}net.0.weight`, 'linear'],
    [`${prefix}net.0.bias`, 'bias'],
    [`${prefix}net.1.weight`, 'norm-weight'],
    [`${prefix}net.1.bias`, 'norm-bias'],
    [`${prefix}net.3.weight`, 'linear'],
  ]);
}

const HEADS = [
  ...mlp('online_network', 'projector.'),
  ...mlp('predictor', ''),
  ...describeAll('evaluator', [
    ['linear.weight', 'linear'],
    ['linear.bias', 'bias'],
  ]),
];

function split(parameters: ParameterDescription[], referenceQuirks: boolean) {
  const matches = matchRules(parameters, parameterRules({ referenceQuirks }));
  expect(matches.map(({ parameter }) => parameter)).toEqual(parameters);
  const [adapted, excluded] = [true, false].map((wanted) =>
    matches.filter(({ rule }) => rule.update.adapted === wanted),
  );
  return { adapted, excluded };
}

const names = (matches: { parameter: ParameterDescription }[]) =>
  matches.map(({ parameter }) => `${parameter.module}.${parameter.name}`);

describe('the rules of the reference', () => {
  it('exclude 101 of the 159 tensors of ResNet-50, with the squared rate', () => {
    const { adapted, excluded } = split(resnet50(), true);
    expect([adapted.length, excluded.length]).toEqual([58, 101]);
    expect(adapted.filter(({ parameter }) => parameter.role === 'conv').length).toBe(53);
    expect(excluded.every(({ rule }) => rule.update.squaredRate)).toBe(true);
  });

  it('miss seven norm weights, whose names do not say what they are', () => {
    const { adapted } = split([...resnet50(), ...HEADS], true);
    expect(names(adapted.filter(({ parameter }) => parameter.role === 'norm-weight'))).toEqual([
      'online_network.encoder.1.weight',
      'online_network.encoder.4.0.downsample.1.weight',
      'online_network.encoder.5.0.downsample.1.weight',
      'online_network.encoder.6.0.downsample.1.weight',
      'online_network.encoder.7.0.downsample.1.weight',
      'online_network.projector.net.1.weight',
      'predictor.net.1.weight',
    ]);
  });
});

describe('the rules by role', () => {
  it('adapt the weights of convolutions and linear layers only, and nothing moves with the squared rate', () => {
    const { adapted, excluded } = split([...resnet50(), ...HEADS], false);
    expect(adapted.length).toBe(53 + 5);
    expect(new Set(adapted.map(({ parameter }) => parameter.role))).toEqual(new Set(['conv', 'linear']));
    expect(excluded.length).toBe(106 + 7);
    expect([...adapted, ...excluded].some(({ rule }) => rule.update.squaredRate)).toBe(false);
  });
});

describe('the rules of detectors', () => {
  it.each([true, false])('exclude norms from decay, and biases by option: %s', (decayBiases) => {
    const matches = matchRules([...resnet50(), ...HEADS], detectorRules({ decayBiases }));
    const roles = (wanted: boolean) =>
      new Set(
        matches.filter(({ rule }) => rule.update.decay === wanted).map(({ parameter }) => parameter.role),
      );
    const biases = ['bias'] as const;
    expect(roles(true)).toEqual(new Set(['conv', 'linear', ...(decayBiases ? biases : [])]));
    expect(roles(false)).toEqual(new Set(['norm-weight', 'norm-bias', ...(decayBiases ? [] : biases)]));
    expect(matches.some(({ rule }) => rule.update.adapted || rule.update.squaredRate)).toBe(false);
    expect(describeMatches(matches)[0]).toMatch(/^weights of convolutions .*: 58 tensors, weight decay: /);
  });
});

describe('matchRules', () => {
  const parameters = describeAll('predictor', [
    ['net.0.weight', 'linear'],
    ['net.0.bias', 'bias'],
  ]);

  it('takes the first rule that matches', () => {
    const all = {
      label: 'all',
      matches: () => true,
      update: { decay: true, adapted: true, squaredRate: false },
    };
    expect(matchRules(parameters, [all, ...ROLE_RULES]).every(({ rule }) => rule === all)).toBe(true);
  });

  it('names the parameters that no rule matches', () => {
    expect(() => matchRules(parameters, ROLE_RULES.slice(0, 1))).toThrow(
      'no parameter rule matches predictor.net.0.weight (linear)',
    );
    expect(matchRules([], [])).toEqual([]);
  });
});

it('describeMatches says what was decided for which parameters', () => {
  const matches = (referenceQuirks: boolean) =>
    matchRules(HEADS.slice(5), parameterRules({ referenceQuirks }));
  expect(describeMatches(matches(false))).toEqual([
    'weights of convolutions and linear layers: 3 tensors, LARS and weight decay: ' +
      'predictor.net.0.weight, predictor.net.3.weight, evaluator.linear.weight',
    'biases: 2 tensors, no decay, plain rate: predictor.net.0.bias, evaluator.linear.bias',
    'parameters of norms: 2 tensors, no decay, plain rate: predictor.net.1.weight, predictor.net.1.bias',
  ]);
  expect(describeMatches(matches(true))[1]).toBe(
    'names with "bn" or "bias": 3 tensors, no decay, squared rate: ' +
      'predictor.net.0.bias, predictor.net.1.bias, evaluator.linear.bias',
  );
});
