/**
 * Every field of a detector's configuration: name, kind, default, range, meaning.
 *
 * Defaults are those of Detectron2's `faster_rcnn_R_50_FPN_1x`, but that weights are PyTorch's (`model/weights_style`), as
 * those of this package are; fields that Detectron2 does not have say "ours". Boxes are xyxy, pixels of the resized
 * image; steps and batch sizes count all processes.
 */

import { RESNET_NAMES } from '../../core/architectures.js';
import type { Section } from '../define-schema.js';
import { boolean, choice, integer, integers, nullable, number, numbers, pair, string } from '../leaf.js';
import { ENGINE, RUN, SAVES } from './sections.js';

type Norm = 'frozen' | 'batch' | 'none';

const norm = (value: Norm, where: string) =>
  choice<Norm>(value, ['frozen', 'batch', 'none'], `norm of the ${where}; batch = over all images of a step`);

const images = (of: string) => nullable(string('', `folder of the ${of} images; ours`), null);

const annotations = (of: string) =>
  nullable(string('', `JSON file in the form of COCO of the ${of} images; ours`), null);

const MODEL = {
  backbone: choice('resnet50', RESNET_NAMES, 'backbone below the feature pyramid'),
  weights_style: choice<'msra' | 'torch'>(
    'torch',
    ['msra', 'torch'],
    'torch = RGB, stride in the 3x3; msra = BGR, stride in the 1x1: of the weights to start from; ours',
  ),
  freeze_at: integer(2, { min: 0, max: 5 }, 'stages that are not trained: 1 = the stem, 2 = and res2, ...'),
  norm: {
    backbone: norm('frozen', 'backbone'),
    fpn: norm('none', 'feature pyramid'),
    box_head: norm('none', "box head's convolutions"),
    mask_head: norm('none', "mask head's convolutions"),
  },
  masks: boolean(false, 'Mask R-CNN; false = Faster R-CNN'),
  box_head: choice<'fc2' | '4conv1fc'>('fc2', ['fc2', '4conv1fc'], 'layers of the box head'),
  fpn_channels: integer(256, { min: 1 }, 'channels of the feature pyramid'),
  fc_dim: integer(1024, { min: 1 }, 'units of a fully connected layer of the box head'),
  conv_dim: integer(256, { min: 1 }, 'channels of a convolution of the box and mask heads'),
  classes: nullable(integer(80, { min: 1 }, "number of classes; null = the annotations'; ours"), null),
  rpn: {
    anchor_sizes: integers([32, 64, 128, 256, 512], { min: 1 }, 'side of the anchors of p2 to p6, pixels'),
    aspect_ratios: numbers([0.5, 1, 2], { above: 0 }, 'height / width of the anchors'),
    iou_thresholds: pair([0.3, 0.7], { min: 0, max: 1 }, 'below: background; from the second on: an object'),
    batch_size_per_image: integer(256, { min: 1 }, 'anchors that count in the loss, per image'),
    positive_fraction: number(0.5, { above: 0, max: 1 }, 'share of objects among them, at most'),
    pre_nms_topk_train: integer(2000, { min: 1 }, 'proposals of a level before suppression, training'),
    pre_nms_topk_test: integer(1000, { min: 1 }, 'proposals of a level before suppression, testing'),
    post_nms_topk_train: integer(1000, { min: 1 }, 'proposals of an image after suppression, training'),
    post_nms_topk_test: integer(1000, { min: 1 }, 'proposals of an image after suppression, testing'),
    nms: number(0.7, { min: 0, max: 1 }, 'proposals that overlap by a higher IoU are suppressed'),
  },
  roi: {
    batch_size_per_image: integer(512, { min: 1 }, 'proposals that the heads are trained on, per image'),
    positive_fraction: number(0.25, { above: 0, max: 1 }, 'share of objects among them, at most'),
    iou_threshold: number(0.5, { min: 0, max: 1 }, 'a proposal is an object from this IoU on'),
  },
  test: {
    score_threshold: number(0.05, { min: 0, max: 1 }, 'detections of a higher score are kept'),
    nms: number(0.5, { min: 0, max: 1 }, 'detections of a class that overlap by a higher IoU are suppressed'),
    detections: integer(100, { min: 1 }, 'detections of an image, at most'),
  },
} as const satisfies Section;

const TRAIN = {
  batch_size: integer(16, { min: 1 }, 'images of a step, over all processes'),
  reference_batch: integer(16, { min: 1 }, 'images of a step for which rate and steps are meant'),
  auto_scale: boolean(
    true,
    'rate in proportion to batch_size / reference_batch, steps and warm-up against it; the run says them',
  ),
  max_steps: integer(90_000, { min: 1 }, 'length of the run, steps of reference_batch images'),
  steps_at: integers([60_000, 80_000], { min: 1 }, 'steps at which the rate falls; [] = never'),
  gamma: number(0.1, { above: 0, max: 1 }, 'what the rate is multiplied with there'),
  warmup_steps: integer(1000, { min: 0 }, 'linear growth of the rate, steps of reference_batch images'),
  warmup_factor: number(0.001, { min: 0, max: 1 }, 'share of the rate at the first step'),
  lr: number(0.02, { above: 0 }, 'learning rate for reference_batch images'),
  momentum: number(0.9, { min: 0, below: 1 }, 'momentum of SGD'),
  weight_decay: number(1e-4, { min: 0 }, 'weight decay, not on norms'),
  decay_biases: boolean(true, 'weight decay on biases too, as Detectron2; never on norms'),
  eval_steps: integer(
    5000,
    { min: 0 },
    'steps of reference_batch images between evaluations; 0 = at the end',
  ),
  tb_interval: integer(20, { min: 1 }, 'steps between two points of the TensorBoard curves; ours'),
  num_workers: integer(4, { min: 1 }, 'images decoded at once, per process'),
  ...SAVES,
  precise_bn: {
    enabled: boolean(false, 'before an evaluation, measure the statistics of batch norms anew'),
    steps: integer(200, { min: 1 }, 'forward passes for that'),
  },
} as const satisfies Section;

export const DETECT_FIELDS = {
  ...RUN,
  protocol: choice<'default' | 'r1' | 'r2' | 'r3'>(
    'default',
    ['default', 'r1', 'r2', 'r3'],
    'rates a backbone as MoCo (r1), DenseCL and PixPro (r2), SCRL (r3); what you set yourself counts; ours',
  ),
  model: MODEL,
  dataset: {
    train: { images: images('training'), annotations: annotations('training') },
    val: { images: images('validation'), annotations: annotations('validation') },
    skip_invalid: boolean(
      false,
      'leave out images and annotations with a fault; false = say all faults and end; ours',
    ),
    keep_empty: boolean(false, 'train on images without objects too'),
  },
  input: {
    min_size_train: integers(
      [640, 672, 704, 736, 768, 800],
      { min: 32 },
      'shorter side of a training image, pixels: one of these, drawn',
    ),
    max_size_train: integer(1333, { min: 32 }, 'longer side of a training image, at most, pixels'),
    min_size_test: integer(800, { min: 32 }, 'shorter side of a test image, pixels'),
    max_size_test: integer(1333, { min: 32 }, 'longer side of a test image, at most, pixels'),
    flip: boolean(true, 'mirror every second training image, drawn'),
  },
  train: TRAIN,
  engine: ENGINE,
} as const satisfies Section;
