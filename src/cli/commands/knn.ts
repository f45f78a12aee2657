import type { Argv, CommandModule } from 'yargs';
import type { KnnReport } from '../../recipes/knn.js';
import { formatTable } from '../../report/table.js';
import { openConsole } from '../log-flags.js';
import { positiveNumber, wholeNumber } from '../numbers.js';
import { printReport } from '../output.js';
import { EVALUATION_CROP, readWeightsFlags, type WeightsArguments, withWeights } from '../weights-flags.js';

const MOST = 2 ** 31 - 1;

export const knnCommand: CommandModule<object, WeightsArguments> = {
  command: 'knn',
  describe: 'weighted k-nearest-neighbour accuracy of frozen features: judges a backbone without training',
  builder: (yargs) => {
    return withWeights(yargs, EVALUATION_CROP)
      .option('dataset/root', {
        type: 'string',
        demandOption: true,
        requiresArg: true,
        describe: 'train/CLASS/ votes on val/CLASS/; with class folders only, each image is left out in turn',
      })
      .option('k', {
        type: 'string',
        default: '20,200',
        requiresArg: true,
        describe: 'neighbours that vote; several are separated by commas',
      })
      .option('temperature', {
        type: 'string',
        default: '0.07',
        requiresArg: true,
        describe: 'T; a neighbour of cosine similarity s votes with weight exp(s / T)',
      })
      .option('bank_limit', {
        type: 'string',
        requiresArg: true,
        describe: 'at most so many images vote, drawn by --seed; without `val` also so many are asked',
      })
      .option('json', { type: 'boolean', default: false, describe: 'print JSON' })
      .example('$0 knn --weights runs/scrl_000 --dataset/root imagenet', 'the trained network')
      .example(
        '$0 knn --weights moco_v2_800ep_pretrain.pth.tar --dataset/root PHOTOS --k 20',
        "any toolkit's weights",
      )
      .example(
        '$0 knn --weights random --backbone resnet50 --dataset/root PHOTOS',
        'the base line: what training has added',
      ) as Argv<WeightsArguments>;
  },
  handler: async (argv) => {
    const ks = [...new Set(String(argv.k).split(','))].map((k) => wholeNumber('--k', k, MOST));
    const temperature = positiveNumber('--temperature', String(argv.temperature));
    const limit = argv.bank_limit;
    const bankLimit = limit === undefined ? undefined : wholeNumber('--bank_limit', String(limit), MOST, 2);
    const options = readWeightsFlags(argv);
    const { knn } = await import('../../recipes/knn.js');
    const report = await knn({
      ...options,
      root: String(argv['dataset/root']),
      ks,
      temperature,
      bankLimit,
      log: openConsole(argv),
    });
    printReport(report, argv.json === true, (report) => knnText(report, ks));
  },
};

function knnText(report: KnnReport, ks: readonly number[]): string {
  const { top1, top5, images, bank, classes, leaveOneOut, network, weights } = report;
  const rows = ks.map((k) => [k, top1[k].toFixed(2), top5[k].toFixed(2)]);
  const against = leaveOneOut ? 'each against all others' : `against ${bank}`;
  return (
    `${formatTable(['k', 'top-1 %', 'top-5 %'], rows)}\n\n` +
    `${images} images ${against}, ${classes} classes; ${network}, ${weights}`
  );
}
