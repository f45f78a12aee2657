/**
 * scrl as a library; docs/library.md has examples. Every function returns what it found and prints nothing: what is said on the
 * way goes to a `LiveLog`, by default to nobody. Importing opens nothing: TensorFlow is loaded by `openEngine` or by a function
 * that computes, sharp by the first image.
 *
 * Mistakes of the caller are `UserError`s; their messages call options by the names that they have on the command line.
 */

export type { ChoiceOptions } from './checkpoint/choose-backbone.js';
export { type LoadedBackbone, loadBackbone } from './checkpoint/load-backbone.js';
export { type OpenedWeights, openWeights, type WeightsFormat } from './checkpoint/open-weights.js';
export { findRecipe, recipeNames } from './config/find-recipe.js';
export { type ConfigSources, type ResolvedConfig, resolveConfig } from './config/load.js';
export { PRETRAIN, type PretrainConfig } from './config/schemas/pretrain.js';
export { LAYERS, type Layer, RESNET_NAMES, type ResNetName } from './core/architectures.js';
export { type HostTensor, loadTensor, type TensorSource, toFloat32 } from './core/array.js';
export { UserError, type UserErrorDetails } from './core/errors.js';
export { type LiveLog, type Log, SILENT } from './core/log.js';
export { wholeBlocks } from './data/center-crops.js';
export type { ImageDataset } from './data/dataset.js';
export { imageFiles } from './data/image-files.js';
export type { ImageTable } from './data/image-table.js';
export type { Runtime } from './engine/runtime.js';
export type { BackboneSource } from './evaluation/features/backbone-weights.js';
export { Embedder, type EmbedderOptions } from './evaluation/features/embed.js';
export type { FeatureBatch, Features } from './evaluation/features/feature-table.js';
export { type KnnOptions as KnnAccuracyOptions, type KnnResult, knnAccuracy } from './evaluation/knn.js';
export type { CategoryRow } from './recipes/coco-eval/categories.js';
export { type CocoEvalOptions, type CocoEvaluation, cocoEval } from './recipes/coco-eval/index.js';
export { type ConvertOptions, convert } from './recipes/convert/index.js';
export type { ConversionReport, FileReport } from './recipes/convert/report.js';
export { TARGETS, type TargetName } from './recipes/convert/target.js';
export { type FeaturesOptions, type FeaturesReport, features } from './recipes/features.js';
export { type Comparison, compareWeights, type Difference } from './recipes/inspect/compare.js';
export { type Inspection, type InspectOptions, inspect, type Network } from './recipes/inspect/index.js';
export { type KnnOptions, type KnnReport, knn } from './recipes/knn.js';
export { type LinearOptions, type LinearOutcome, linear } from './recipes/linear/index.js';
export { type PretrainOptions, type PretrainSummary, pretrain } from './recipes/pretrain/index.js';
export type { WeightsOptions } from './recipes/shared/open-embedder.js';
export { type EngineOptions, openEngine } from './recipes/shared/open-engine.js';
export { openImages } from './recipes/shared/open-images.js';
export { Console, type ConsoleOptions } from './report/console.js';
