/**
 * What the parts of Faster and Mask R-CNN with FPN are called behind the backbone, by toolkit.
 *
 * Names of one toolkit become those of another through Detectron2's. The toolkits also count classes differently, see
 * `class-rows.ts`. torchvision's table is that of its first version (`fasterrcnn_resnet50_fpn`), with the names that its
 * own loader still accepts from older files.
 */

import { UserError } from '../../core/errors.js';

export type DetectorName = 'detectron2' | 'torchvision' | 'mmdetection';

interface Spelling {
  /** Of the backbone. */
  readonly body: string;
  /** By Detectron2's module name. A norm, where there is one, is called as `norm` says. */
  readonly modules: ReadonlyMap<string, string>;
  norm(module: string): string;
  /** Names of older versions, by the name of now. */
  readonly old: ReadonlyMap<string, string>;
}

/** Detectron2, torchvision (undefined: has no such layer), mmdetection; in Detectron2's order. */
type Row = readonly [string, string | undefined, string];

const MODULES: readonly Row[] = [
  ...[0, 1, 2, 3].flatMap((i): Row[] => [
    [`backbone.fpn_lateral${i + 2}`, `backbone.fpn.inner_blocks.${i}.0`, `neck.lateral_convs.${i}.conv`],
    [`backbone.fpn_output${i + 2}`, `backbone.fpn.layer_blocks.${i}.0`, `neck.fpn_convs.${i}.conv`],
  ]),
  ['proposal_generator.rpn_head.conv', 'rpn.head.conv.0.0', 'rpn_head.rpn_conv'],
  ['proposal_generator.rpn_head.objectness_logits', 'rpn.head.cls_logits', 'rpn_head.rpn_cls'],
  ['proposal_generator.rpn_head.anchor_deltas', 'rpn.head.bbox_pred', 'rpn_head.rpn_reg'],
  ...[0, 1, 2, 3].map(
    (i): Row => [`roi_heads.box_head.conv${i + 1}`, undefined, `roi_head.bbox_head.shared_convs.${i}.conv`],
  ),
  ['roi_heads.box_head.fc1', 'roi_heads.box_head.fc6', 'roi_head.bbox_head.shared_fcs.0'],
  ['roi_heads.box_head.fc2', 'roi_heads.box_head.fc7', 'roi_head.bbox_head.shared_fcs.1'],
  ['roi_heads.box_predictor.cls_score', 'roi_heads.box_predictor.cls_score', 'roi_head.bbox_head.fc_cls'],
  ['roi_heads.box_predictor.bbox_pred', 'roi_heads.box_predictor.bbox_pred', 'roi_head.bbox_head.fc_reg'],
  ...[0, 1, 2, 3].map(
    (i): Row => [
      `roi_heads.mask_head.mask_fcn${i + 1}`,
      `roi_heads.mask_head.${i}.0`,
      `roi_head.mask_head.convs.${i}.conv`,
    ],
  ),
  ['roi_heads.mask_head.deconv', 'roi_heads.mask_predictor.conv5_mask', 'roi_head.mask_head.upsample'],
  [
    'roi_heads.mask_head.predictor',
    'roi_heads.mask_predictor.mask_fcn_logits',
    'roi_head.mask_head.conv_logits',
  ],
];

const OLD_TORCHVISION = new Map([
  ...[0, 1, 2, 3].flatMap((i): [string, string][] => [
    [`backbone.fpn.inner_blocks.${i}`, `backbone.fpn.inner_blocks.${i}.0`],
    [`backbone.fpn.layer_blocks.${i}`, `backbone.fpn.layer_blocks.${i}.0`],
    [`roi_heads.mask_head.mask_fcn${i + 1}`, `roi_heads.mask_head.${i}.0`],
  ]),
  ['rpn.head.conv', 'rpn.head.conv.0.0'],
]);

const column = (index: 0 | 1 | 2) =>
  new Map(MODULES.flatMap((row) => (row[index] === undefined ? [] : [[row[0], row[index]]])));

const SPELLINGS: Readonly<Record<DetectorName, Spelling>> = {
  detectron2: {
    body: 'backbone.bottom_up.',
    modules: column(0),
    norm: (module) => `${module}.norm`,
    old: new Map(),
  },
  torchvision: {
    body: 'backbone.body.',
    modules: column(1),
    norm: (module) => module.replace(/\.0$/, '.1'),
    old: OLD_TORCHVISION,
  },
  mmdetection: {
    body: 'backbone.',
    modules: column(2),
    norm: (module) => module.replace(/\.conv$/, '.bn'),
    old: new Map(),
  },
};

export const DETECTOR_NAMES = Object.keys(SPELLINGS) as DetectorName[];

/** The modules in Detectron2's spelling. */
export const CLASS_SCORES = 'roi_heads.box_predictor.cls_score';
export const BOX_DELTAS = 'roi_heads.box_predictor.bbox_pred';
export const MASK_LOGITS = 'roi_heads.mask_head.predictor';
const MASK = 'roi_heads.mask_head.';
const BOX_CONV = 'roi_heads.box_head.conv';
const FIRST_LAYER = 'roi_heads.box_head.fc1';
const SECOND_LAYER = 'roi_heads.box_head.fc2';

const NORM_LEAVES = ['weight', 'bias', 'running_mean', 'running_var', 'num_batches_tracked'];

/** Where the backbone is within a detector. */
export function bodyPrefix(detector: DetectorName): string {
  return SPELLINGS[detector].body;
}

/** Detectron2's names by those of a toolkit: all that may occur behind the backbone. */
export function detectorNames(detector: DetectorName): Map<string, string> {
  const { modules, norm, old } = SPELLINGS[detector];
  const names = new Map<string, string>();
  for (const [ours, theirs] of modules) {
    for (const leaf of ['weight', 'bias']) {
      names.set(`${theirs}.${leaf}`, `${ours}.${leaf}`);
      for (const [before, now] of old) if (now === theirs) names.set(`${before}.${leaf}`, `${ours}.${leaf}`);
    }
    if (norm(theirs) === theirs) continue;
    for (const leaf of NORM_LEAVES) names.set(`${norm(theirs)}.${leaf}`, `${ours}.norm.${leaf}`);
  }
  return names;
}

/** A toolkit's name of now, of a tensor in Detectron2's spelling. @throws UserError when it has no such layer */
export function detectorKey(detector: DetectorName, key: string): string {
  for (const [theirs, ours] of detectorNames(detector)) {
    const module = theirs.slice(0, theirs.lastIndexOf('.'));
    if (ours === key && !SPELLINGS[detector].old.has(module)) return theirs;
  }
  throw new UserError(`has a layer that ${detector} has no name for`, {
    key,
    remedy: 'write the names of detectron2: --convention detectron2',
  });
}

/**
 * What a detector has to hold, by Detectron2's names: a weight and a bias, or a norm, for every module. Mask R-CNN when any
 * tensor of the mask head is there; four convolutions and one layer in the box head when any of them is, else two layers.
 *
 * @param present names in Detectron2's spelling
 */
export function requiredDetectorKeys(present: ReadonlySet<string>): string[] {
  const has = (start: string) => [...present].some((key) => key.startsWith(start));
  const [hasMask, hasConvs] = [has(MASK), has(BOX_CONV)];
  return [...SPELLINGS.detectron2.modules.keys()].flatMap((module) => {
    if (module.startsWith(MASK) && !hasMask) return [];
    if (hasConvs ? module === SECOND_LAYER : module.startsWith(BOX_CONV)) return [];
    const norm = `${module}.norm`;
    const hasNorm = NORM_LEAVES.some((leaf) => present.has(`${norm}.${leaf}`));
    return [`${module}.weight`, ...(hasNorm ? [`${norm}.weight`, `${norm}.bias`] : [`${module}.bias`])];
  });
}

export interface DetectorSizes {
  /** Of the last maps of the four stages. */
  readonly channels: readonly number[];
  /** Channels of the pyramid. */
  readonly fpn: number;
  /** Channels of the box head's convolutions; undefined without them. */
  readonly boxConv: number | undefined;
  /** Units of the box head's layers. */
  readonly fc: number;
  /** Side of a region's map in the box head. */
  readonly side: number;
  /** Channels of the mask head's convolutions. */
  readonly maskConv: number;
  /** Without background. */
  readonly classes: number;
  /** Anchors at each cell. */
  readonly anchors: number;
  /** Box deltas of each class, or one for all. */
  readonly deltas: number;
}

/** Sizes that tensors have, by Detectron2's names; Detectron2's own where there is none. */
export function detectorSizes(
  found: ReadonlyMap<string, { readonly shape: readonly number[] }>,
  channels: readonly number[],
  classes: number,
): DetectorSizes {
  const outputs = (module: string) => found.get(`${module}.weight`)?.shape[0];
  const shared = outputs(BOX_DELTAS) === 4 && classes > 1;
  const fpn = outputs('backbone.fpn_output2') ?? 256;
  const boxConv = outputs(`${BOX_CONV}1`);
  const cells = (found.get(`${FIRST_LAYER}.weight`)?.shape[1] ?? 0) / (boxConv ?? fpn);
  return {
    channels,
    fpn,
    boxConv,
    side: Number.isInteger(Math.sqrt(cells)) && cells > 0 ? Math.sqrt(cells) : 7,
    fc: outputs(FIRST_LAYER) ?? 1024,
    maskConv: outputs(`${MASK}mask_fcn1`) ?? 256,
    classes,
    anchors: outputs('proposal_generator.rpn_head.objectness_logits') ?? 3,
    deltas: shared ? 1 : classes,
  };
}

/** Shapes by Detectron2's names, with Detectron2's number of classes. Filters are OIHW, linear weights [out, in]. */
export function detectorShape(key: string, sizes: DetectorSizes): readonly number[] {
  const leaf = key.slice(key.lastIndexOf('.') + 1);
  if (leaf === 'num_batches_tracked') return [];
  const module = key.replace(/(\.norm)?\.\w+$/, '');
  const weight = weightShape(module, sizes);
  if (leaf === 'weight' && !key.includes('.norm.')) return weight;
  return [weight[module === `${MASK}deconv` ? 1 : 0]];
}

function weightShape(module: string, sizes: DetectorSizes): readonly number[] {
  const { channels, fpn, boxConv, side, fc, maskConv, classes, anchors, deltas } = sizes;
  const level = /fpn_lateral(\d)/.exec(module);
  if (level !== null) return [fpn, channels[Number(level[1]) - 2], 1, 1];
  const conv = /(box_head\.conv|mask_fcn)(\d)$/.exec(module);
  if (conv !== null) {
    const outputs = conv[1] === 'mask_fcn' ? maskConv : (boxConv ?? fpn);
    return [outputs, conv[2] === '1' ? fpn : outputs, 3, 3];
  }
  const shapes = new Map([
    ['proposal_generator.rpn_head.objectness_logits', [anchors, fpn, 1, 1]],
    ['proposal_generator.rpn_head.anchor_deltas', [4 * anchors, fpn, 1, 1]],
    [FIRST_LAYER, [fc, (boxConv ?? fpn) * side * side]],
    [SECOND_LAYER, [fc, fc]],
    [CLASS_SCORES, [classes + 1, fc]],
    [BOX_DELTAS, [4 * deltas, fc]],
    [`${MASK}deconv`, [maskConv, maskConv, 2, 2]],
    [MASK_LOGITS, [classes, maskConv, 1, 1]],
  ]);
  return shapes.get(module) ?? [fpn, fpn, 3, 3];
}
