/**
 * What the figure of a cell depends on, as a hash: the recipe's values, the data's contents, the weights, TensorFlow, scrl. What
 * does not change it is left out: folders, numbers of workers, when checkpoints are saved.
 */

import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { loadBackbone } from '../../checkpoint/load-backbone.js';
import { fingerprint as fileFingerprint } from '../../checkpoint/write-weights.js';
import type { ResolvedConfig } from '../../config/load.js';
import type { ResultsConfig } from '../../config/schemas/results.js';
import type { LiveLog } from '../../core/log.js';
import { hasSplit } from '../../data/dataset.js';
import { fingerprintImages } from '../../data/fingerprint.js';
import { openImages } from '../shared/open-images.js';
import type { Cell } from './cells.js';
import { type CellConfig, detectConfig, linearConfig, pretrainConfig, supervisedConfig } from './settings.js';

const require = createRequire(import.meta.url);

/** Leaves that no figure depends on. */
const IRRELEVANT =
  /^(save_dir|top_dir|load_dir|dataset\/(root|annotations|(train|val)\/(images|annotations))|engine\/(threads|device))$|num_workers$|tb_interval$|save_(minutes|steps)$|snapshot_interval$/;

export class Fingerprints {
  readonly #plan: ResultsConfig;
  readonly #engine: string;
  readonly #log: LiveLog;
  /** Data and weights are read once. */
  readonly #contents = new Map<string, Promise<string>>();

  /** @param engine version of TensorFlow */
  constructor(plan: ResultsConfig, engine: string, log: LiveLog) {
    this.#plan = plan;
    this.#engine = engine;
    this.#log = log;
  }

  async of(cell: Cell): Promise<string> {
    const { version } = require('#package.json') as { version: string };
    const parts = {
      scrl: version,
      tensorflow: this.#engine,
      kind: cell.kind,
      seed: cell.seed,
      weights: await this.#weights(cell),
      ...(await this.#parts(cell)),
    };
    return digest(parts);
  }

  /** Of the images that choose the classifier's rate. */
  async heldOut(): Promise<string> {
    const { data, linear } = this.#plan;
    return digest([await this.#images(data.classes), linear.held_out]);
  }

  async #weights({ row, needs }: Cell): Promise<string> {
    if (needs !== undefined) return this.of(needs);
    if (row.source.kind !== 'weights') return row.source.kind;
    const { path } = row.source;
    return this.#once(path, async () => {
      const loaded = await loadBackbone(path, { anyStyle: true }, this.#log);
      return (await fileFingerprint(loaded.path)).sha256;
    });
  }

  async #parts(cell: Cell): Promise<Record<string, unknown>> {
    const plan = this.#plan;
    const { data } = plan;
    switch (cell.kind) {
      case 'pretrain': {
        const { source } = cell.row;
        if (source.kind !== 'pretrained') throw new Error(`${cell.id} has nothing to pretrain`);
        const config = relevant(
          source.method === 'supervised'
            ? supervisedConfig(plan, cell, null)
            : pretrainConfig(plan, cell, source.method, null),
        );
        return { method: source.method, config, data: await this.#images(data.pretrain) };
      }
      case 'linear': {
        const config = relevant(
          linearConfig(plan, cell, { root: String(plan.data.classes), rate: 1, folder: null }),
        );
        return { config, linear: plan.linear, data: await this.#images(data.classes) };
      }
      default: {
        const config = relevant(detectConfig(plan, { ...cell, kind: cell.kind }, null));
        return { config, data: [await this.#objects(data.train), await this.#objects(data.val)] };
      }
    }
  }

  /** Both splits, where there are two. */
  async #images(given: string | null): Promise<string> {
    const root = String(given);
    return this.#once(`images of ${root}`, async () => {
      const splits = (await hasSplit(root, 'val')) ? (['train', 'val'] as const) : (['train'] as const);
      const found: string[] = [];
      for (const split of splits) {
        const { images } = await openImages({ root, split }, this.#log);
        found.push(await fingerprintImages(images));
      }
      return found.join();
    });
  }

  async #objects(given: ResultsConfig['data']['train']): Promise<string> {
    const [annotations, root] = [String(given.annotations), String(given.images)];
    return this.#once(`objects of ${annotations} in ${root}`, async () => {
      const { images } = await openImages({ root, annotations }, this.#log);
      return (await fileFingerprint(annotations)).sha256 + (await fingerprintImages(images));
    });
  }

  #once(key: string, make: () => Promise<string>): Promise<string> {
    const known = this.#contents.get(key) ?? make();
    this.#contents.set(key, known);
    return known;
  }
}

function digest(parts: unknown): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

function relevant<Config>({ resolved }: CellConfig<Config>): [string, unknown][] {
  const { schema, config }: ResolvedConfig<Config> = resolved;
  return [...schema.flatten(config)].filter(([path]) => !IRRELEVANT.test(path));
}
