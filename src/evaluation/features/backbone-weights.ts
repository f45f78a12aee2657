/** Fills the backbone of a module from a file of weights of any toolkit. */

import { type LoadedBackbone, loadBackbone } from '../../checkpoint/load-backbone.js';
import type { NetworkRole } from '../../checkpoint/names/families.js';
import { resnetNames } from '../../checkpoint/names/resnet.js';
import type { StateDict } from '../../checkpoint/state-dict.js';
import type { ResNetName } from '../../core/architectures.js';
import { UserError } from '../../core/errors.js';
import type { Log } from '../../core/log.js';
import type { SpellingName } from '../../models/backbone/spellings.js';

export interface BackboneSource {
  /** File, or run folder. */
  readonly path: string;
  /** The trained network, by default, or its moving average. */
  readonly role?: NetworkRole;
  /** Where in the file, as `scrl inspect` spells it. */
  readonly place?: string;
}

/**
 * A backbone's state dict under the names of our modules.
 *
 * @param prefix of the names, e.g. `encoder.`
 * @param expected the network that it has to be
 * @throws UserError when it is another one, or not whole
 */
export async function readBackbone(
  { path: where, ...choice }: BackboneSource,
  prefix: string,
  expected: ResNetName | undefined,
  log: Log,
): Promise<{ loaded: LoadedBackbone; dict: StateDict }> {
  const loaded = await loadBackbone(where, choice, log);
  const { network, path } = loaded;
  if (expected !== undefined && network !== expected) {
    throw new UserError(`is a ${network}, but the configuration has a ${expected}`, {
      where: path,
      key: 'network/name',
      value: expected,
      remedy: `add --network/name ${network}`,
    });
  }
  return { loaded, dict: underOurNames(loaded, prefix) };
}

/** @param prefix of the names, e.g. `encoder.` @param spelling default our encoders' */
export function underOurNames(
  { network, tensors }: LoadedBackbone,
  prefix: string,
  spelling: SpellingName = 'sequential',
): StateDict {
  const names = new Map([...resnetNames(spelling, network)].map(([theirs, ours]) => [ours, theirs]));
  return new Map([...tensors].map(([key, source]) => [`${prefix}${names.get(key)}`, source]));
}
