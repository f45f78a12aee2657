import type { Argv, CommandModule } from 'yargs';
import { UserError } from '../../core/errors.js';
import { CORRECTIONS, IOU_TYPES, type Params } from '../../pycocotools/evaluation/params.js';
import { formatSummary } from '../../pycocotools/evaluation/summarize.js';
import type { CocoEvaluation } from '../../recipes/coco-eval/index.js';
import { openConsole, withLog } from '../log-flags.js';
import { wholeNumber } from '../numbers.js';
import { print } from '../output.js';
import { categoryText } from '../text/categories.js';

interface Arguments {
  gt: string;
  dt: string;
  type: (typeof IOU_TYPES)[number];
  json: boolean;
  'per-category': boolean;
  out: string | undefined;
  overwrite: boolean;
  lvis: boolean;
  'max-dets': string | undefined;
  corrections: string | undefined;
  threads: string | undefined;
}

export const cocoEvalCommand: CommandModule<object, Arguments> = {
  command: 'coco-eval',
  describe: 'evaluate detections as pycocotools does: the same figures to the last bit, much sooner',
  builder: (yargs) =>
    withLog(yargs)
      .option('gt', {
        type: 'string',
        demandOption: true,
        requiresArg: true,
        describe: 'ground truth, JSON in COCO format',
      })
      .option('dt', {
        type: 'string',
        demandOption: true,
        requiresArg: true,
        describe: 'results, a JSON list',
      })
      .option('type', {
        choices: IOU_TYPES,
        default: 'bbox',
        describe: 'what is compared; boundary is Boundary IoU of masks',
      })
      .option('json', {
        type: 'boolean',
        default: false,
        describe: 'print {"stats": [...]} with full precision',
      })
      .option('per-category', { type: 'boolean', default: false, describe: 'figures of each category too' })
      .option('out', {
        type: 'string',
        requiresArg: true,
        describe: 'folder for report.html, categories.csv, curves.csv',
      })
      .option('overwrite', { type: 'boolean', default: false, describe: 'replace a report in --out' })
      .option('lvis', {
        type: 'boolean',
        default: false,
        describe: "LVIS's rules for federated data sets; types bbox, segm, boundary",
      })
      .option('max-dets', {
        type: 'string',
        requiresArg: true,
        describe: 'results that count, per image and category, ascending; default 1,10,100, for keypoints 20',
      })
      .option('corrections', {
        type: 'string',
        requiresArg: true,
        describe: `what not to take over from pycocotools: all, or some of ${CORRECTIONS.join(',')}`,
      })
      .option('threads', {
        type: 'string',
        requiresArg: true,
        describe: 'default: all processors for large files',
      })
      .example(
        '$0 coco-eval --gt instances_val2017.json --dt results.json --type bbox',
        'the table of pycocotools',
      )
      .example(
        '$0 coco-eval --gt GT --dt DT --type segm --per-category --out report',
        'with curves in report/report.html',
      )
      .example(
        '$0 coco-eval --gt GT --dt DT --max-dets 1,100,300 --corrections maxDets',
        'crowded images',
      ) as Argv<Arguments>,
  handler: async (argv) => {
    if (argv.lvis && (argv.type === 'keypoints' || argv['max-dets'] !== undefined)) {
      throw new UserError(
        'goes with neither --type keypoints nor --max-dets: 300 results of an image count',
        {
          key: '--lvis',
        },
      );
    }
    const maxDets = argv['max-dets'] === undefined ? undefined : parseMaxDets(argv['max-dets'], argv.type);
    const corrections = parseCorrections(argv.corrections);
    const threads = argv.threads === undefined ? undefined : wholeNumber('--threads', argv.threads, 64);
    const { cocoEval } = await import('../../recipes/coco-eval/index.js');
    const perCategory = argv['per-category'];
    const evaluation = await cocoEval({
      perCategory,
      gt: argv.gt,
      dt: argv.dt,
      iouType: argv.type,
      federated: argv.lvis,
      out: argv.out,
      overwrite: argv.overwrite,
      threads,
      adjust: (params: Params) => {
        if (maxDets !== undefined) params.maxDets = maxDets;
        for (const name of corrections) params.corrections[name] = true;
      },
      log: openConsole(argv),
    });
    if (argv.json) print(JSON.stringify(figures(evaluation, perCategory)));
    else print(evaluationText(evaluation, perCategory));
  },
};

function figures(
  { params, summary, timings, threads, categories }: CocoEvaluation,
  perCategory: boolean,
): object {
  const { read, evaluate } = timings;
  return {
    type: params.iouType,
    stats: summary.map(({ value }) => value),
    seconds: { read, evaluate },
    threads,
    ...(perCategory && { categories }),
  };
}

function evaluationText({ params, summary, categories }: CocoEvaluation, perCategory: boolean): string {
  const total = formatSummary(summary, params);
  return perCategory ? `${total}\n\n${categoryText(categories)}` : total;
}

function parseMaxDets(text: string, type: Arguments['type']): number[] {
  const values = text.split(',').map((part) => wholeNumber('--max-dets', part, 1e9));
  const needed = type === 'keypoints' ? 1 : 3;
  if (values.length !== needed || values.some((value, i) => i > 0 && value <= values[i - 1])) {
    throw new UserError(
      `must be ${needed === 1 ? 'a number' : 'three ascending numbers, such as 1,10,100'}`,
      {
        key: '--max-dets',
        value: text,
      },
    );
  }
  return values;
}

function parseCorrections(text: string | undefined): readonly (typeof CORRECTIONS)[number][] {
  if (text === undefined) return [];
  if (text === 'all') return CORRECTIONS;
  return text.split(',').map((name) => {
    const known = CORRECTIONS.find((correction) => correction === name);
    if (known !== undefined) return known;
    throw new UserError(`must be all, or some of ${CORRECTIONS.join(',')}`, {
      key: '--corrections',
      value: text,
    });
  });
}
