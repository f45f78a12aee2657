/** COCO evaluation and loading against pycocotools, as whole commands. */

import { join } from 'node:path';
import type { CommandCase } from './commands.js';

export function cocoCases(
  files: { val: string; train: string },
  { python }: { python: string },
  oursFolder: string,
  peersFolder: string,
): CommandCase[] {
  const cli = join(oursFolder, '../../src/cli/scrl.cjs');
  const peer = join(peersFolder, 'coco.py');
  const gt = join(files.val, 'instances.json');
  const evaluation = (type: 'bbox' | 'segm'): CommandCase => ({
    bench: `coco-eval/${type}`,
    title: `Evaluation of 500,000 results, ${type}, the whole command`,
    settings: { images: 5000, objects: 34_000, detections: 500_000 },
    figures,
    commands: [
      {
        name: 'scrl',
        command: process.execPath,
        args: [
          cli,
          'coco-eval',
          '--gt',
          gt,
          '--dt',
          join(files.val, `${type}.json`),
          '--type',
          type,
          '--json',
        ],
      },
      {
        name: 'pycocotools',
        command: python,
        args: ['-B', peer, 'eval', gt, join(files.val, `${type}.json`), type],
      },
    ],
  });
  const train = join(files.train, 'instances.json');
  return [
    evaluation('bbox'),
    evaluation('segm'),
    {
      bench: 'coco-load',
      title: 'Loading of an annotation file as large as instances_train2017.json',
      settings: { images: 118_287, objects: 860_001 },
      figures,
      commands: [
        { name: 'scrl', command: process.execPath, args: [join(oursFolder, 'ours-coco-load.js'), train] },
        { name: 'pycocotools', command: python, args: ['-B', peer, 'load', train] },
      ],
    },
  ];
}

function figures(out: string): string {
  return JSON.stringify(JSON.parse(out).stats);
}
