/** Names that other toolkits have for options of ours: Detectron2, Ultralytics, solo-learn, lightly, torchrun. */

/** Ends of our names by theirs, most likely first. */
const ENDS: Readonly<Record<string, readonly string[]>> = {
  epochs: ['max_epochs', 'max_steps'],
  max_iter: ['max_steps', 'max_epochs'],
  iterations: ['max_steps', 'max_epochs'],
  steps: ['max_steps', 'max_epochs'],
  data: ['dataset/root', 'dataset/train/annotations'],
  dataset: ['dataset/root', 'dataset/train/annotations'],
  data_dir: ['dataset/root', 'dataset/train/images'],
  data_path: ['dataset/root', 'dataset/train/images'],
  train_data_path: ['dataset/root', 'dataset/train/images'],
  batch: ['batch_size_train', 'batch_size'],
  batch_size: ['batch_size_train', 'batch_size'],
  bs: ['batch_size_train', 'batch_size'],
  ims_per_batch: ['batch_size_train', 'batch_size'],
  lr0: ['lr'],
  base_lr: ['lr'],
  learning_rate: ['lr'],
  wd: ['weight_decay'],
  imgsz: ['input_size', 'min_size_train', 'size'],
  img_size: ['input_size', 'min_size_train', 'size'],
  image_size: ['input_size', 'min_size_train', 'size'],
  crop_size: ['input_size'],
  model: ['network/name', 'model/backbone', 'weights'],
  arch: ['network/name', 'model/backbone'],
  backbone: ['model/backbone', 'network/name'],
  checkpoint: ['weights'],
  ckpt: ['weights'],
  pretrained: ['weights'],
  conf: ['threshold'],
  workers: ['num_workers'],
  device: ['engine/device'],
  config_file: ['config'],
  cfg: ['config'],
  output: ['save_dir', 'out'],
  output_dir: ['save_dir', 'out'],
  out: ['save_dir'],
  project: ['top_dir'],
  name: ['save_dir'],
};

const DEVICES = new Set([
  'gpu',
  'gpus',
  'num_gpus',
  'n_gpus',
  'ngpus',
  'devices',
  'num_machines',
  'world_size',
  'nproc_per_node',
]);

/**
 * What a name of another toolkit is called here.
 *
 * @param options that the command has
 * @returns what to do; undefined when nothing is known of the name
 */
export function foreignHint(name: string, options: readonly string[]): string | undefined {
  const theirs = name.toLowerCase().replaceAll('-', '_');
  if (DEVICES.has(theirs)) {
    return 'scrl runs on one device; --engine/device gpu asks for a GPU';
  }
  const ends = Object.hasOwn(ENDS, theirs) ? ENDS[theirs] : [];
  const ours = ends.flatMap((end) => options.find((option) => `/${option}`.endsWith(`/${end}`)) ?? []);
  return ours.length === 0 ? undefined : `did you mean --${ours[0]}?`;
}
