/**
 * Every field of the configuration of `pretrain`, `linear` and `preview`: name, kind, default, range, meaning.
 *
 * Names and nesting are those of the SCRL reference's YAML files, defaults those of its `scrl_200ep.yaml`; fields that
 * the reference does not have say "ours". Batch sizes and workers count for one process.
 */

import { RESNET_NAMES } from '../../core/architectures.js';
import type { BoxSamplerOptions } from '../../models/ssl/box-sampler.js';
import type { BlurKind } from '../../views/blur.js';
import type { AugmentType } from '../../views/photometric-draws.js';
import type { Section } from '../define-schema.js';
import { boolean, choice, integer, nullable, number, pair, string } from '../leaf.js';
import { ENGINE, RUN, SAVES } from './sections.js';

export const PRETRAIN_FIELDS = {
  seed: RUN.seed,
  load_dir: nullable(string('', 'folder to resume from; null = save_dir'), null),
  save_dir: RUN.save_dir,
  top_dir: RUN.top_dir,
  network: {
    name: choice('resnet50', RESNET_NAMES, 'backbone; 18 and 34 are ours'),
    target_init: choice<'random' | 'copy'>(
      'random',
      ['random', 'copy'],
      'target network at the start: drawn anew, as in the reference, or a copy of the online one; ours',
    ),
    proj_head: {
      input_size: nullable(
        integer(2048, { min: 1 }, "inputs of the projector, channels; null = the backbone's (null is ours)"),
        null,
      ),
      hidden_size: integer(4096, { min: 1 }, 'hidden units of projector and predictor'),
      output_size: integer(256, { min: 1 }, 'outputs of projector and predictor'),
    },
    scrl: {
      enabled: boolean(true, 'SCRL; false = BYOL'),
      num_patches_per_image: integer(10, { min: 1 }, 'K, matched boxes per image'),
      iou_threshold: number(
        0.5,
        { above: 0, max: 1 },
        'boxes of an image overlap by less than this IoU; 1 = any overlap',
      ),
      box_jittering: boolean(false, 'perturb the boxes of view 2'),
      jittering_ratio: number(0.1, { min: 0, below: 0.5 }, 'largest relative shift and change of size'),
      grid_based_box_gen: boolean(true, 'boxes from cells of a random grid; false = uniform'),
      min_size: integer(32, { min: 1 }, 'smallest side of a box in both views, pixels'),
      pool_size: integer(1, { min: 1 }, "side of RoIAlign's output, cells; only 1 works"),
      spatial_scale: number(0.03125, { above: 0, max: 1 }, 'cells of the feature map per pixel'),
      sampling_ratio: integer(-1, { min: -1 }, "points per side of RoIAlign's grid; -1 or 0 = adaptive"),
      detectron_aligned: boolean(false, 'shift RoIAlign by half a cell, as Detectron2 does'),
      on_exhausted: choice<BoxSamplerOptions['onExhausted']>(
        'drop',
        ['drop', 'keep'],
        "a box that overlaps after 50 tries is left out, or kept as the reference's code does; ours",
      ),
    },
  },
  dataset: {
    name: choice<'auto' | 'imagenet' | 'folder' | 'coco'>(
      'auto',
      ['auto', 'imagenet', 'folder', 'coco'],
      'kind of data set; auto = found out from the files; all but imagenet are ours',
    ),
    root: nullable(string('', 'folder of the images'), null),
    annotations: nullable(string('', 'JSON file in the form of COCO that lists the images; ours'), null),
  },
  augment: {
    type: choice<AugmentType>('simclr', ['simclr', 'simple', 'none'], 'augmentation of the two views'),
    input_size: integer(224, { min: 32 }, 'side of a view, pixels'),
    crop_scale: pair(
      [0.2, 1],
      { above: 0, max: 1 },
      "lowest and highest share of the image's area in a view, pretraining only",
    ),
    blur: choice<BlurKind>(
      'resized',
      ['resized', 'gaussian', 'none'],
      "blur by resizing, as the reference, Gaussian, as BYOL's paper, or none, for small views; ours",
    ),
    ensure_overlap: boolean(false, 'draw crops again until both views share room for a box; ours'),
  },
  train: {
    enabled: boolean(true, 'pretrain; false = evaluate only'),
    online_eval: boolean(true, 'train a linear classifier on the side, to watch'),
    batch_size_train: integer(256, { min: 1 }, 'images per step and process'),
    batch_size_eval: integer(2048, { min: 1 }, 'images per step and process, online validation'),
    max_epochs: integer(200, { min: 1 }, 'length of the run, epochs'),
    warmup_epochs: number(10, { min: 0 }, 'linear growth of the learning rate, epochs'),
    valid_interval: nullable(
      integer(5, { min: 0 }, 'epochs between online validations; 0 or null = after the last only'),
      5,
    ),
    knn_interval: integer(
      20,
      { min: 0 },
      'epochs between looks at nearest neighbours, for labelled images; 0 = off; ours',
    ),
    knn_bank: integer(50_000, { min: 1 }, 'most training images among which neighbours are looked for; ours'),
    snapshot_interval: integer(20, { min: 0 }, 'epochs between kept checkpoints; 0 = the last only'),
    tb_interval: integer(1, { min: 1 }, 'steps between two points of the TensorBoard curves'),
    num_workers: integer(12, { min: 1 }, 'images decoded at once, per process'),
    m: number(0.97, { min: 0, max: 1 }, "decay of the target's moving average at the start; ends at 1"),
    drop_last: boolean(false, 'leave out the last, incomplete batch of an epoch; ours'),
    ...SAVES,
    optim: {
      lr: number(
        0.45,
        { above: 0 },
        'peak learning rate for 256 images; grows linearly with the global batch',
      ),
      momentum: number(0.9, { min: 0, below: 1 }, 'momentum of SGD'),
      weight_decay: number(1e-6, { min: 0 }, 'weight decay, not on biases and norms'),
      nesterov: boolean(false, "Nesterov's momentum; an option of SGD in the reference"),
      reference_quirks: boolean(
        false,
        "the reference's slips: squared rate on biases and norms, seven norms not excluded; ours",
      ),
      trust_coefficient: number(0.001, { above: 0 }, 'trust coefficient of LARS; ours'),
    },
  },
  eval: {
    enabled: boolean(true, 'linear evaluation after pretraining'),
    finetune: boolean(false, 'train the backbone too'),
    max_epochs: integer(80, { min: 1 }, 'length of the evaluation, epochs'),
    warmup_epochs: number(5, { min: 0 }, 'linear growth of the learning rate, epochs'),
    valid_interval: nullable(
      integer(5, { min: 0 }, 'epochs between validations; 0 or null = after the last only'),
      5,
    ),
    batch_size_train: integer(128, { min: 1 }, 'images per step and process'),
    batch_size_eval: integer(2048, { min: 1 }, 'images per step and process, validation'),
    num_workers: integer(12, { min: 1 }, 'images decoded at once, per process'),
    optim: {
      lr: number(
        0.2,
        { above: 0 },
        'peak learning rate for 256 images; grows linearly with the global batch',
      ),
      momentum: number(0.9, { min: 0, below: 1 }, 'momentum of SGD'),
      weight_decay: number(0, { min: 0 }, 'weight decay'),
      nesterov: boolean(true, "Nesterov's momentum"),
    },
  },
  engine: ENGINE,
} as const satisfies Section;
