/**
 * The networks of BYOL and SCRL: online and target network (backbone and projector each), predictor, and a linear
 * classifier on detached features that monitors training. Modules and names are the reference's; it calls the classifier
 * "evaluator".
 */

import type { ResNetName } from '../../core/architectures.js';
import type { Runtime } from '../../engine/runtime.js';
import { Linear } from '../../nn/layers.js';
import { ModuleStore } from '../../nn/module-store.js';
import { ResNet } from '../backbone/resnet.js';
import { Mlp } from './mlp.js';

export type Method = 'scrl' | 'byol';

export interface NetworkOptions {
  method: Method;
  backbone: ResNetName;
  hiddenSize: number;
  outputSize: number;
  /** Classes of the classifier; undefined without labels. */
  classes: number | undefined;
}

/** A backbone and its projector. */
export class Branch {
  readonly store: ModuleStore;
  readonly encoder: ResNet;
  readonly projector: Mlp;

  constructor(runtime: Runtime, module: string, { backbone, hiddenSize, outputSize }: NetworkOptions) {
    this.store = new ModuleStore(runtime, module);
    this.encoder = new ResNet(this.store, 'encoder.', backbone);
    const inputs = this.encoder.channels;
    this.projector = new Mlp(this.store, 'projector.', { inputs, hidden: hiddenSize, outputs: outputSize });
  }
}

export class Networks {
  readonly options: NetworkOptions;
  readonly online: Branch;
  readonly target: Branch;
  readonly predictor: { store: ModuleStore; mlp: Mlp };
  readonly classifier: { store: ModuleStore; linear: Linear } | undefined;

  constructor(runtime: Runtime, options: NetworkOptions) {
    const { hiddenSize: hidden, outputSize: outputs, classes } = options;
    this.options = options;
    this.online = new Branch(runtime, 'online_network', options);
    this.target = new Branch(runtime, 'target_network', options);
    const predictor = new ModuleStore(runtime, 'predictor');
    this.predictor = { store: predictor, mlp: new Mlp(predictor, '', { inputs: outputs, hidden, outputs }) };
    if (classes === undefined) return;
    const store = new ModuleStore(runtime, 'evaluator');
    const shape = { inputs: this.online.encoder.channels, outputs: classes, bias: true };
    this.classifier = { store, linear: new Linear(store, 'linear', shape) };
  }

  /** Modules that the solver trains, in the order of the reference's optimizer. */
  trained(): ModuleStore[] {
    const { online, predictor, classifier } = this;
    return [online.store, predictor.store, ...(classifier ? [classifier.store] : [])];
  }

  /** All modules. */
  stores(): ModuleStore[] {
    return [...this.trained(), this.target.store];
  }
}
