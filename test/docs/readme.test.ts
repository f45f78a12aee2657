/**
 * README's command lines, run from its first to its last in one folder, as a reader would. Names in capitals stand for files that are
 * made here, and settings are added that keep a run small. A line that is neither run nor listed with a reason fails.
 */

import { existsSync, mkdirSync, readdirSync, renameSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeCoco } from '../../tools/coco/write.js';
import { makeShapes } from '../../tools/shapes/write.js';
import { collect, type Outcome, startProcess } from '../helpers/child-processes.js';
import { runCli } from '../helpers/cli.js';
import { writeClasses, writePhoto } from '../helpers/photos.js';
import { wordsOf } from '../helpers/shell.js';
import { writeResNet18 } from '../helpers/weights.js';
import { commandsOf } from './commands.js';

const ROOT = join(import.meta.dirname, '../..');

const NOT_RUN: Readonly<Record<string, string>> = {
  'npm install && npm start':
    'installs packages and trains for minutes; its parts are run here and in test/tools',
  'npm install ./scrl-detect-0.1.0.tgz': 'needs a registry: npm run test:package does it',
  'npm pack': 'npm run test:package does it',
  'npm start': 'see npm install && npm start',
  'npm run start:detect': 'trains for minutes',
  'npm run build': 'what is run here came from it, and it would replace that',
  'npm test': 'is what runs this',
  'npm run test:unit': 'is a part of npm test',
  'npm run test:package': 'needs a registry, and .ci/run runs it',
  'npm run lint': '.ci/run runs it',
  'npm run typecheck': '.ci/run runs it',
  'npm run parity': 'needs PyTorch, and .ci/run runs it',
  'npm run bench': 'takes half an hour, and needs PyTorch; test/tools/bench.test.ts runs a part',
  'node dist/tools/make-json-schema.js':
    'writes into the clone; test/tools/json-schema.test.ts sees that it was run',
  'node dist/tools/loss-compare.js COMMIT': 'builds two commits: test/tools/loss-compare.test.ts',
  'node dist/tools/profile-step.js':
    'steps of a ResNet-50 take long; test/tools/run-tool.test.ts has its options',
  'npx scrl reproduce --plan hour --data/pretrain CROPS --data/classes CROPS --data/train/images DIR --data/train/annotations JSON --data/val/images DIR --data/val/annotations JSON --dry-run':
    'times steps for half a minute: test/cli/reproduce.test.ts has a smaller plan',
  'npx scrl engine install --from WHEEL': 'replaces the library that is installed: test/engine/install',
};

const VIEWS = '--augment/input_size 32 --network/scrl/min_size 6 --network/proj_head/hidden_size 16';
const PRETRAINING = `${VIEWS} --train/batch_size_train 4 --train/max_epochs 1 --eval/max_epochs 1`;
const INPUT =
  '--input/min_size_train 64 --input/max_size_train 96 --input/min_size_test 64 --input/max_size_test 96';
const DETECTOR = `${INPUT} --model/fpn_channels 8 --model/fc_dim 16 --train/max_steps 2`;
const TRAIN = { DIR: 'shapes/train', JSON: 'shapes/annotations/instances_train.json' };
const VAL = { DIR: 'shapes/val', JSON: 'shapes/annotations/instances_val.json' };

interface Run {
  /** What its placeholders stand for. PHOTOS is a folder of that name. */
  readonly stand?: Readonly<Record<string, string>>;
  /** Words that are added. */
  readonly more?: string;
  /** A file or folder that it makes, or a text that it prints. */
  readonly makes: string | RegExp;
}

const RUNS: Readonly<Record<string, Run>> = {
  'npx scrl data check PHOTOS': { stand: { PHOTOS: 'photos/train' }, makes: /to train:/ },
  'npx scrl preview --config scrl_200ep --dataset/root PHOTOS': { makes: 'preview.png' },
  'npx scrl pretrain --config one_machine --dataset/root PHOTOS --dry-run': {
    more: PRETRAINING,
    makes: /time: .* for the run of 1 epoch/,
  },
  'npx scrl pretrain --config one_machine --dataset/root PHOTOS': {
    more: PRETRAINING,
    makes: 'runs/one_machine_000/checkpoint_last.pth',
  },
  'npx scrl pretrain --resume runs/one_machine_000': { makes: /nothing to train/ },
  'npx scrl runs': { makes: /runs\/one_machine_000 +pretraining +one_machine +finished/ },
  'npx scrl report runs/one_machine_000': { makes: 'runs/one_machine_000/report.html' },
  'npx scrl config show --config FILE': {
    stand: { FILE: 'runs/one_machine_000/config.yaml' },
    makes: /input_size: 32 +# .*config\.yaml:\d+/,
  },
  'npx scrl pretrain --help': { makes: /What matters most/ },
  'npx scrl completion': { makes: /complete .* scrl\n/ },
  'npx scrl convert runs/one_machine_000/checkpoint_last.pth backbone.pkl': { makes: 'backbone.pkl' },
  'npx scrl convert moco_v2_800ep_pretrain.pth.tar backbone.safetensors': { makes: 'backbone.safetensors' },
  'npx scrl inspect backbone.pkl': { makes: /resnet18/ },
  'npx scrl linear --config one_machine --load_dir runs/one_machine_000 --dataset/root DIR': {
    stand: { DIR: 'photos' },
    more: `${VIEWS} --eval/max_epochs 1 --overwrite`,
    makes: 'runs/one_machine_000/linear/results.json',
  },
  'npx scrl knn --weights runs/one_machine_000 --dataset/root DIR': {
    stand: { DIR: 'photos' },
    makes: /top-1 %/,
  },
  'npx scrl features --weights backbone.pkl PHOTOS features.npz': {
    // Of folders with splits it takes one.
    stand: { PHOTOS: 'photos/val' },
    makes: 'features.npz',
  },
  'npx scrl show match --weights backbone.pkl --at 320,200 a.jpg': { makes: 'match.png' },
  'npx scrl detect preview --config one_machine --dataset/train/images DIR --dataset/train/annotations JSON':
    {
      stand: TRAIN,
      makes: /preview\.png: 6 images as the detector sees them/,
    },
  'npx scrl detect train --config one_machine --weights runs/one_machine_000 --dataset/train/images DIR --dataset/train/annotations JSON --dataset/val/images DIR --dataset/val/annotations JSON':
    { stand: TRAIN, more: DETECTOR, makes: 'runs/one_machine_001/checkpoint_last.pth' },
  'npx scrl detect eval --weights RUN --annotations JSON --images DIR --out evaluation': {
    stand: { ...VAL, RUN: 'runs/one_machine_001' },
    makes: 'evaluation',
  },
  'npx scrl detect predict --weights RUN PHOTOS --out found': {
    stand: { RUN: 'runs/one_machine_001' },
    makes: 'found',
  },
  'npx scrl coco-eval --gt instances_val2017.json --dt results.json --type bbox': {
    makes: /Average Precision/,
  },
  'npx scrl coco-eval --gt GT --dt DT --type segm --per-category --out report': {
    stand: { GT: 'instances_val2017.json', DT: 'segm.json' },
    makes: 'report/report.html',
  },
  'npx scrl engine info': { makes: /computes on/ },
  'node dist/tools/make-shapes.js OUT': {
    stand: { OUT: 'more-shapes' },
    more: '--train 2 --val 1',
    makes: 'more-shapes/annotations/instances_val.json',
  },
  'node dist/tools/make-coco.js OUT': {
    stand: { OUT: 'made' },
    more: '--images 5 --objects 9 --detections 9',
    makes: 'made/bbox.json',
  },
  'node dist/tools/kill-resume.js -- --config FILE --dataset/root DIR': {
    stand: { FILE: 'one_machine', DIR: 'photos', 'kill-resume.js': 'kill-resume.js --kills 1' },
    more: `${PRETRAINING} --eval/enabled false`,
    makes: /"kills":\d,"steps":2,"equal":2/,
  },
};

const lines = commandsOf('README.md');

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scrl-readme-'));
  await writeClasses(join(folder, 'photos/train'), 4);
  await writeClasses(join(folder, 'photos/val'), 2, 100);
  await writePhoto(join(folder, 'a.jpg'), 'coarse', 1, 640, 480);
  await writeResNet18(join(folder, 'moco_v2_800ep_pretrain.pth.tar'), 1);
  const few = { train: 8, val: 3, seed: 1, size: 96, overwrite: false };
  await makeShapes({ out: join(folder, 'shapes'), ...few });
  mkdirSync(join(folder, 'coco'));
  await writeCoco(
    join(folder, 'coco'),
    { images: 20, objects: 60, detections: 200, seed: 1 },
    () => undefined,
  );
  renameSync(join(folder, 'coco/instances.json'), join(folder, 'instances_val2017.json'));
  renameSync(join(folder, 'coco/bbox.json'), join(folder, 'results.json'));
  renameSync(join(folder, 'coco/segm.json'), join(folder, 'segm.json'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function run(line: string, { stand = {}, more = '' }: Run): Promise<Outcome> {
  const places = { PHOTOS: 'photos', ...stand };
  const filled = Object.entries(places).reduce((text, [name, path]) => text.replaceAll(name, path), line);
  const [, program, ...args] = await wordsOf(`${filled} ${more}`);
  if (program === 'scrl') return runCli(folder, args);
  const stdio = ['ignore', 'pipe', 'pipe'] as ['ignore', 'pipe', 'pipe'];
  return collect(startProcess(process.execPath, [join(ROOT, program), ...args], { cwd: folder, stdio }))
    .ended;
}

describe('every line', () => {
  it('is run, or is listed with a reason', () => {
    const known = [...Object.keys(RUNS), ...Object.keys(NOT_RUN)];
    expect(lines.filter((line) => !known.includes(line))).toEqual([]);
    expect(known.filter((line) => !lines.includes(line))).toEqual([]);
  });

  for (const line of lines.filter((line) => Object.hasOwn(RUNS, line))) {
    it(line, async () => {
      const { code, out, err } = await run(line, RUNS[line]);
      expect(code, err).toBe(0);
      const { makes } = RUNS[line];
      if (typeof makes === 'string') {
        expect(existsSync(join(folder, makes)), `${makes} among ${readdirSync(folder)}`).toBe(true);
      } else expect(out + err).toMatch(makes);
    });
  }
});
