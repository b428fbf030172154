/** Binary DenseNets: name gives depth(growth). */
import { binaryDense, denseTransition, igpDense } from '../blocks/dense.js';
import { stem } from '../blocks/stem.js';
import { type Architecture, classifier, type Heading, withUnit } from './architecture.js';

const STEM_CHANNELS = 64;
type Block = 'dense' | 'igp';

/** A transition keeps ⌊C / r⌋ of its C channels. Layers and transitions are counted together: `body.0`, `body.1`, … */
function network(
  block: Block,
  growth: number,
  stages: readonly number[],
  reductions: readonly number[],
  heading: Omit<Heading, 'status'>,
): Architecture {
  return {
    ...heading,
    status: 'reconstructed',
    options: block === 'igp' ? ['unit', 'join'] : ['unit'],
    body(graph, input, { classes, join, unit }) {
      let x = stem(graph, input, { outChannels: STEM_CHANNELS, relu: true });
      let index = 0;
      stages.forEach((layers, stage) => {
        if (stage > 0) {
          const outChannels = Math.max(1, Math.floor(x.shape.channels / (reductions[stage - 1] ?? 1)));
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

const DENSE = 'depth and growth are the paper’s; layers and reductions are those of the network it is based on, at half the growth and twice the layers';
const IGP = 'the block’s costs, depth and growth are the paper’s; its wiring is reconstructed, the reductions are fitted to the reported storage';

export const DENSENET: readonly Architecture[] = [
  network('dense', 32, [12, 12, 12, 10], [2.7, 2.7, 2.2], { name: 'binary-densenet51-32', title: 'BinaryDenseNet51(32)', source: DENSE, reported: { top1Error: 38.14, top5Error: 16.8, storageMbit: 34.8, gflops: 0.27 } }),
  network('dense', 32, [12, 16, 24, 12], [3.3, 3.3, 4], { name: 'binary-densenet69-32', title: 'BinaryDenseNet69(32)', source: DENSE, reported: { top1Error: 36.26, top5Error: 15.24, storageMbit: 42.0, gflops: 0.28 } }),
  network('igp', 53, [6, 6, 6, 5], [2, 2.2, 2.2], { name: 'igp-densenet51-53', title: 'IGP-DenseNet51(53)', source: IGP, reported: { top1Error: 36.73, top5Error: 15.54, storageMbit: 34.5, gflops: 0.3 } }),
  network('igp', 48, [6, 8, 12, 6], [1.8, 2.7, 3], { name: 'igp-densenet69-48', title: 'IGP-DenseNet69(48)', source: IGP, reported: { top1Error: 35.2, top5Error: 14.59, storageMbit: 41.5, gflops: 0.31 } }),
];
