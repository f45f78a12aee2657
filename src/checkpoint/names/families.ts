/**
 * Where the toolkits of the field put a backbone, and what else they put into the file.
 *
 * A place is the path of the state dict within the file and the prefix of the names in it, e.g.
 * `state_dict/module.encoder_q.`; rows are tried from the top. They only say what a file is: weights under a prefix
 * that nobody has used yet are found all the same.
 */

/** The one that is trained by gradients, or its moving average. */
export type NetworkRole = 'online' | 'target';

interface Family {
  readonly name: string;
  readonly place: RegExp;
  /** The `fc` behind the backbone is a projection of the method, no classifier. */
  readonly projects?: true;
}

const FAMILIES: readonly Family[] = [
  { name: 'SCRL / BYOL checkpoint', place: /(online|target)_network_state_dict\/encoder\.$/ },
  { name: 'MoCo', place: /\/(module\.)?encoder_[qk]\.$/, projects: true },
  { name: 'MoCo v3', place: /\/(module\.)?(base|momentum)_encoder\.$/, projects: true },
  { name: 'BYOL (online and target encoder)', place: /(online|target)_(encoder|network)\./, projects: true },
  { name: 'VISSL', place: /_feature_blocks\.$/ },
  { name: 'DINO', place: /(^|\/)(teacher|student)\// },
  { name: 'SimSiam or PixPro', place: /\/module\.encoder\.$/, projects: true },
  { name: 'Detectron2 detector', place: /backbone\.bottom_up\.$/ },
  { name: 'torchvision detector', place: /backbone\.body\.$/ },
  { name: 'DETR', place: /backbone\.(0\.body|conv_encoder\.model)\.$/ },
  {
    name: 'backbone of a larger model (mmdetection, mmselfsup, solo-learn, Lightly)',
    place: /\/(module\.)?(backbone|momentum_backbone)\.$/,
  },
  { name: 'Transformers', place: /\/(.*\.)?resnet\.$/ },
  { name: 'encoder of a larger model', place: /\/(module\.)?encoder\.$/, projects: true },
  { name: 'bare network', place: /\/(module\.|model\.)*$/ },
];

const TARGET = /(^|[./_])(target|teacher|momentum|ema|encoder_k)(?=[./_]|$)/;

/** @param place path of the dict, a slash, prefix of the names */
export function familyOf(place: string): { name: string; projects: boolean } {
  const found = FAMILIES.find(({ place: pattern }) => pattern.test(place));
  return { name: found?.name ?? 'network of an unknown toolkit', projects: found?.projects === true };
}

export function roleOf(place: string): NetworkRole {
  return TARGET.test(place) ? 'target' : 'online';
}

/** Why a tensor beside the backbone is not taken; rows are tried from the top, on the whole name. */
const EXPECTED: readonly (readonly [RegExp, string])[] = [
  [
    /(^|[./])(pixel_mean|pixel_std|cell_anchors)|anchor_generator\./,
    'constants of the detector, which it makes itself',
  ],
  [/(^|[./])stem\.conv1\.bias$/, 'a bias before a norm, which Detectron2 does not read'],
  [/(^|[./_])queue(_ptr)?\d*$/, "MoCo's queue of negatives"],
  [/(^|[./])(optimizer|optim)(_state_dict)?([./]|$)|momentum_buffer|exp_avg/, 'state of the optimizer'],
  [
    /(^|[./])(lr_)?scheduler(_state_dict)?([./]|$)|(^|[./])scaler(_state_dict)?([./]|$)/,
    'state of the training',
  ],
  [
    /(^|[./_])(projector|projection|proj|projection_head|proj_head|head_proj)(?=[._/]|\d|$)/,
    'projector of the method',
  ],
  [
    /(^|[./_])(predictor|prediction|predictor_state_dict|prediction_head)(?=[._/]|\d|$)/,
    'predictor of the method',
  ],
  [/(^|[./_])prototypes?(?=[._/]|\d|$)/, 'prototypes of the method'],
  [
    /(^|[./_])(evaluator|online_classifier|linear_classifier|classifier)(?=[._/]|\d|$)/,
    'classifier that watched the training',
  ],
  [/(^|[./])(neck|heads?)(?=[._/]|\d)/, 'neck or head of the method'],
  [/(^|[./])value_transform(?=\.|$)/, 'head of the method'],
  [/(^|[./])bn\.(weight|bias|running_mean|running_var|num_batches_tracked)$/, "norm of the method's outputs"],
  [/center$|teacher_temp|(^|[./])(mean|std|normalize)(\.|$)/, 'constants of the method'],
];

/** Why a tensor that is no part of the backbone may stay behind, or undefined: then someone should know. */
export function whyLeftBehind(name: string): string | undefined {
  return EXPECTED.find(([pattern]) => pattern.test(name))?.[1];
}
