import type { Argv, CommandModule } from 'yargs';
import { LAYERS } from '../../core/architectures.js';
import { UserError } from '../../core/errors.js';
import { openConsole } from '../log-flags.js';
import { wholeNumber } from '../numbers.js';
import { PARSER_SETTINGS } from '../parser-settings.js';
import { LARGEST_SQUARE, readWeightsFlags, type WeightsArguments, withWeights } from '../weights-flags.js';

const MAPS = LAYERS.filter((layer) => layer !== 'pooled');
const MOST_IMAGES = 8;
const LARGEST_SIDE = 2 ** 24;

export const showCommand: CommandModule<object, WeightsArguments> = {
  command: 'show <what> <images..>',
  describe: 'write a picture of what features see: pca colours their maps, match finds a point again',
  builder: (yargs) => {
    // Without this yargs keeps the last image only.
    yargs.parserConfiguration({ ...PARSER_SETTINGS, 'duplicate-arguments-array': true });
    return withWeights(yargs, LARGEST_SQUARE)
      .positional('what', {
        choices: ['pca', 'match'] as const,
        describe:
          'pca: up to 8 images beside their maps, three principal components as colours; match: where a point of one image is most similar in another, or in an augmented view drawn by --seed',
      })
      .positional('images', { type: 'string', array: true, describe: 'image files' })
      .option('out', {
        type: 'string',
        requiresArg: true,
        defaultDescription: 'pca.png, match.png',
        describe: 'PNG file to write',
      })
      .option('layer', { choices: MAPS, default: 'res5', describe: 'whose map; res4 is finer' })
      .option('at', {
        type: 'string',
        requiresArg: true,
        describe: 'match: the point, x,y in pixels of the first image',
      })
      .example('$0 show pca --weights runs/scrl_000 --out pca.png a.jpg b.jpg', 'two images, two maps')
      .example(
        '$0 show match --weights r50.pth --at 320,200 --out match.png a.jpg',
        'in another view of the image',
      )
      .example(
        '$0 show match --weights r50.pth --at 320,200 --out match.png a.jpg b.jpg',
        'in another image',
      ) as unknown as Argv<WeightsArguments>;
  },
  handler: async (argv) => {
    rejectRepeated(argv);
    const options = {
      ...readWeightsFlags(argv),
      layer: argv.layer as (typeof MAPS)[number],
      out: String(argv.out ?? `${argv.what}.png`),
      log: openConsole(argv),
    };
    const files = argv.images as string[];
    const most = argv.what === 'pca' ? MOST_IMAGES : 2;
    if (files.length > most) {
      throw new UserError(`takes at most ${most} images, not ${files.length}`, { key: `show ${argv.what}` });
    }
    if (argv.what === 'pca') {
      if (argv.at !== undefined)
        throw new UserError('belongs to `show match`', { key: '--at', value: argv.at });
      const { showPca } = await import('../../recipes/show/pca.js');
      return showPca({ ...options, files });
    }
    const at = parsePoint(argv.at);
    const { showMatch } = await import('../../recipes/show/match.js');
    return showMatch({ ...options, file: files[0], other: files[1], at });
  },
};

function rejectRepeated({ images: _, ...argv }: WeightsArguments): void {
  for (const [key, value] of Object.entries(argv)) {
    if (key === '_' || !Array.isArray(value)) continue;
    throw new UserError('was given more than once', { key: `--${key}`, value });
  }
}

function parsePoint(text: unknown): [number, number] {
  if (text === undefined) {
    throw new UserError('which point is to be found again?', { key: '--at', remedy: 'add --at x,y' });
  }
  const parts = String(text).split(',');
  if (parts.length !== 2) throw new UserError('must be x,y in pixels', { key: '--at', value: text });
  const [x, y] = parts.map((part) => wholeNumber('--at', part, LARGEST_SIDE, 0));
  return [x, y];
}
