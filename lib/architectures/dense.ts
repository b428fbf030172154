/** Binary DenseNets: name gives depth(growth). */
import { binaryDense, denseTransition, igpDense } from '../blocks/dense.js';
import { stem } from '../blocks/stem.js';
import { type Architecture, classifier, type Reported, table1, withUnit } from './architecture.js';

const STEM_CHANNELS = 64;
interface Family {
  readonly block: 'dense' | 'igp';
  readonly source: string;
}
interface Configuration {
  readonly growth: number;
  /** Layers or blocks of each stage. */
  readonly stages: readonly number[];
  /** A transition keeps ⌊C / r⌋ of its C channels. */
  readonly r: readonly number[];
}

/** Layers and transitions are counted together through the network: `body.0`, `body.1`, … */
function network(
  { block, source }: Family,
  name: string,
  title: string,
  { growth, stages, r }: Configuration,
  reported: Reported,
  rows: readonly number[],
): Architecture {
  return {
    name,
    title,
    source,
    status: 'reconstructed',
    beyond: `${block === 'igp' ? 'IGP-DenseNet blocks' : 'dense layers'} of growth ${growth}, BatchNorm before sign; transitions; ReLU after stem and body`,
    sameGraphAs: null,
    rows,
    reported,
    options: block === 'igp' ? ['unit', 'join'] : ['unit'],
    body(graph, input, { classes, join, unit }) {
      let x = stem(graph, input, { outChannels: STEM_CHANNELS, activation: 'relu' });
      let index = 0;
      stages.forEach((layers, stage) => {
        if (stage > 0) {
          const outChannels = Math.max(1, Math.floor(x.shape.channels / (r[stage - 1] ?? 1)));
          x = denseTransition(graph, x, { name: `body.${index++}`, outChannels });
        }
        for (let i = 0; i < layers; i++) {
          const options = withUnit({ name: `body.${index++}`, growth }, unit);
          x = block === 'igp' ? igpDense(graph, x, { ...options, join }) : binaryDense(graph, x, options);
        }
      });
      const normal = graph.batchNorm(x, { name: 'norm' });
      return classifier(graph, graph.relu(normal, { name: 'relu' }), classes);
    },
  };
}

const DENSE: Family = {
  block: 'dense',
  source:
    'depth and growth are the paper’s; layers and reductions are the base network’s, at half its growth, twice its layers. That rounds the widths of its transitions to multiples of 32, this one does not; it has no α, which a `scale` of ones is',
};
const IGP: Family = {
  block: 'igp',
  source:
    'costs, depth and growth are the paper’s; the wiring is reconstructed, the reductions are fitted to the storage',
};
const DENSE_51 = { growth: 32, stages: [12, 12, 12, 10], r: [2.7, 2.7, 2.2] };
const DENSE_69 = { growth: 32, stages: [12, 16, 24, 12], r: [3.3, 3.3, 4] };
const IGP_51 = { growth: 53, stages: [6, 6, 6, 5], r: [2, 2.2, 2.2] };
const IGP_69 = { growth: 48, stages: [6, 8, 12, 6], r: [1.8, 2.7, 3] };

export const DENSENET: readonly Architecture[] = [
  network(DENSE, 'binary-densenet51-32', 'BinaryDenseNet51(32)', DENSE_51, table1(38.14, 16.8, 34.8, 0.27), [32, 33]),
  network(DENSE, 'binary-densenet69-32', 'BinaryDenseNet69(32)', DENSE_69, table1(36.26, 15.24, 42, 0.28), [35, 36]),
  network(IGP, 'igp-densenet51-53', 'IGP-DenseNet51(53)', IGP_51, table1(36.73, 15.54, 34.5, 0.3), [34]),
  network(IGP, 'igp-densenet69-48', 'IGP-DenseNet69(48)', IGP_69, table1(35.2, 14.59, 41.5, 0.31), [37]),
];
