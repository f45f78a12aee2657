/** Recipes by name: from anywhere, behind files, and in `_base_`. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findRecipe, recipeNames } from '../../src/config/find-recipe.js';
import { resolveConfig } from '../../src/config/load.js';
import { PRETRAIN } from '../../src/config/schemas/pretrain.js';

const CONFIGS = join(import.meta.dirname, '../../configs');

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'scrl-recipe-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('findRecipe', () => {
  it('knows the recipes of the package by name', () => {
    expect(recipeNames()).toEqual(expect.arrayContaining(['byol_200ep', 'one_machine', 'scrl_200ep']));
    expect(findRecipe('one_machine')).toBe(join(CONFIGS, 'one_machine.yaml'));
    const recipes = 'detection';
    expect(findRecipe('one_machine', { recipes })).toBe(join(CONFIGS, 'detection/one_machine.yaml'));
    expect(() => findRecipe('scrl_200ep', { recipes })).toThrow('one of faster_rcnn_R_101_FPN_1x, ');
  });

  it('prefers a file of that name, and leaves paths alone', () => {
    const file = join(folder, 'one_machine');
    expect(findRecipe('one_machine', { path: file })).toBe(join(CONFIGS, 'one_machine.yaml'));
    writeFileSync(file, 'seed: 1\n');
    expect(findRecipe('one_machine', { path: file })).toBe(file);
    expect(findRecipe('one_machine.yaml')).toBe('one_machine.yaml');
    expect(findRecipe('mine/one_machine')).toBe('mine/one_machine');
  });

  it('is not misled by a folder of that name, such as npm start makes', () => {
    const path = join(folder, 'quickstart');
    mkdirSync(path);
    expect(findRecipe('quickstart', { path })).toBe(join(CONFIGS, 'quickstart.yaml'));
    const other = join(folder, 'other');
    mkdirSync(other);
    expect(findRecipe('other', { path: other })).toBe(other);
  });

  it('lists the recipes when there is none of this name, the likely one first', () => {
    expect(() => findRecipe('one_machin')).toThrow(
      '--config: is neither a file nor the name of a recipe (found "one_machin")\n' +
        '  did you mean one_machine? name a YAML file, or one of byol_1000ep, byol_200ep, one_machine, ',
    );
  });
});

describe('_base_', () => {
  it('takes a recipe by name, and a file beside it first', () => {
    const file = join(folder, 'mine.yaml');
    writeFileSync(file, '_base_: one_machine\nseed: 7\n');
    expect(resolveConfig(PRETRAIN, { file }).config).toMatchObject({
      seed: 7,
      network: { name: 'resnet18' },
    });
    writeFileSync(join(folder, 'one_machine'), 'network: { name: resnet34 }\n');
    expect(resolveConfig(PRETRAIN, { file }).config.network.name).toBe('resnet34');
    mkdirSync(join(folder, 'sub'));
    writeFileSync(join(folder, 'sub/other.yaml'), '_base_: nonesuch\n');
    expect(() => resolveConfig(PRETRAIN, { file: join(folder, 'sub/other.yaml') })).toThrow(
      /other\.yaml:1: _base_: is neither a file nor the name of a recipe \(found "nonesuch"\)/,
    );
  });
});
