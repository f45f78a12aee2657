/** The resolved configuration of each cell: the plan's recipe, what the plan sets, and what belongs to the cell. */

import type { Schema } from '../../config/define-schema.js';
import { findRecipe } from '../../config/find-recipe.js';
import { type ResolvedConfig, resolveConfig } from '../../config/load.js';
import { DETECT, type DetectConfig } from '../../config/schemas/detect.js';
import { PRETRAIN, type PretrainConfig } from '../../config/schemas/pretrain.js';
import type { ResultsConfig } from '../../config/schemas/results.js';
import { UserError } from '../../core/errors.js';
import type { Cell, Method } from './cells.js';

export interface CellConfig<Config> {
  readonly resolved: ResolvedConfig<Config>;
  readonly configFile: string;
}

/** What differs from SCRL's recipe for each method. */
const METHOD_SETTINGS: Readonly<Record<Method, Readonly<Record<string, unknown>>>> = {
  scrl: {},
  byol: { 'network/scrl/enabled': false },
  supervised: {},
};

/** @param folder of the run; null where none is begun */
export function pretrainConfig(
  plan: ResultsConfig,
  cell: Cell,
  method: Method,
  folder: string | null,
): CellConfig<PretrainConfig> {
  const { recipe, set, byol } = plan.pretrain;
  const isOwn = method === 'byol' && byol !== null;
  return cellConfig(PRETRAIN, isOwn ? byol : recipe, 'pretrain/recipe', {
    ...settings('pretrain/set', set),
    ...(!isOwn && METHOD_SETTINGS[method]),
    ...shared(plan, cell, folder),
    'dataset/root': plan.data.pretrain,
  });
}

/**
 * Cross-entropy on the same images, with the steps, batches and solver of the pretraining: linear evaluation that begins with
 * random weights, and trains the backbone too.
 */
export function supervisedConfig(
  plan: ResultsConfig,
  cell: Cell,
  folder: string | null,
): CellConfig<PretrainConfig> {
  const { train } = pretrainConfig(plan, cell, 'supervised', folder).resolved.config;
  const { recipe, set, supervised_set: supervisedSet } = plan.pretrain;
  return cellConfig(PRETRAIN, recipe, 'pretrain/recipe', {
    'eval/enabled': true,
    'eval/finetune': true,
    'eval/max_epochs': train.max_epochs,
    'eval/warmup_epochs': train.warmup_epochs,
    'eval/valid_interval': train.valid_interval,
    'eval/batch_size_train': train.batch_size_train,
    'eval/num_workers': train.num_workers,
    'eval/optim/lr': train.optim.lr,
    'eval/optim/momentum': train.optim.momentum,
    'eval/optim/nesterov': train.optim.nesterov,
    'eval/optim/weight_decay': train.optim.weight_decay,
    ...settings('pretrain/set', set),
    ...settings('pretrain/supervised_set', supervisedSet),
    ...shared(plan, cell, folder),
    'dataset/root': plan.data.pretrain,
  });
}

/**
 * @param root folder with train/CLASS and val/CLASS
 * @param rate of the classifier
 */
export function linearConfig(
  plan: ResultsConfig,
  cell: Cell,
  { root, rate, folder }: { root: string; rate: number; folder: string | null },
): CellConfig<PretrainConfig> {
  const { recipe, set } = plan.linear;
  return cellConfig(PRETRAIN, recipe, 'linear/recipe', {
    ...settings('linear/set', set),
    ...shared(plan, cell, folder),
    'dataset/root': root,
    'eval/optim/lr': rate,
  });
}

export function detectConfig(
  plan: ResultsConfig,
  cell: Cell & { readonly kind: 'faster' | 'mask' },
  folder: string | null,
): CellConfig<DetectConfig> {
  const { recipe, set } = plan[cell.kind];
  const { train, val } = plan.data;
  return cellConfig(DETECT, recipe, `${cell.kind}/recipe`, {
    ...settings(`${cell.kind}/set`, set),
    ...shared(plan, cell, folder),
    'model/masks': cell.kind === 'mask',
    'dataset/train/images': train.images,
    'dataset/train/annotations': train.annotations,
    'dataset/val/images': val.images,
    'dataset/val/annotations': val.annotations,
  });
}

function cellConfig<Config>(
  schema: Schema<Config>,
  recipe: string,
  key: string,
  overrides: Readonly<Record<string, unknown>>,
): CellConfig<Config> {
  const configFile = findRecipe(recipe, { recipes: schema.recipes, details: { key } });
  try {
    return { configFile, resolved: resolveConfig(schema, { file: configFile, overrides }) };
  } catch (error) {
    // To the user these are no flags.
    if (!(error instanceof UserError)) throw error;
    throw error.with({ remedy: `the plan sets it: see ${key.replace('recipe', 'set')}` });
  }
}

function shared({ engine }: ResultsConfig, { seed }: Cell, folder: string | null): Record<string, unknown> {
  return {
    seed,
    save_dir: folder,
    'engine/device': engine.device,
    'engine/threads': engine.threads,
    'engine/precision': engine.precision,
  };
}

/** `train/max_epochs=6` as a setting. @throws UserError naming the one without a value */
function settings(key: string, set: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    set.map((text) => {
      const at = text.indexOf('=');
      if (at > 0) return [text.slice(0, at).trim(), text.slice(at + 1).trim()];
      throw new UserError('is no setting', {
        key,
        value: text,
        remedy: 'write KEY=VALUE, such as train/max_epochs=6',
      });
    }),
  );
}
