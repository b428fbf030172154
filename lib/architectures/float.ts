/** The full-precision baselines, by torchvision's names, so that its weights load. */
import { floatResidual } from '../blocks/floatResidual.js';
import { stem } from '../blocks/stem.js';
import { type Architecture, classifier, type Heading } from './architecture.js';

function network(stages: readonly number[], heading: Omit<Heading, 'status' | 'source'>): Architecture {
  return {
    ...heading,
    source: 'Table 1; torchvision’s network of this name',
    status: 'fact',
    options: [],
    body(graph, input, { classes }) {
      let x = stem(graph, input, { outChannels: 64, relu: true, convName: 'conv1', normName: 'bn1' });
      stages.forEach((blocks, stage) => {
        for (let i = 0; i < blocks; i++) {
          const stride = i === 0 && stage > 0 ? 2 : 1;
          x = floatResidual(graph, x, { name: `layer${stage + 1}.${i}`, outChannels: 64 * 2 ** stage, stride });
        }
      });
      return classifier(graph, x, classes);
    },
  };
}

export const FLOAT: readonly Architecture[] = [
  network([2, 2, 2, 2], { name: 'resnet18', title: 'Full-precision ResNet18', reported: { top1Error: 30.7, top5Error: 10.8, storageMbit: 374.1, gflops: 1.81 } }),
  network([3, 4, 6, 3], { name: 'resnet34', title: 'Full-precision ResNet34', reported: { top1Error: 26.8, top5Error: 8.6, storageMbit: 697.3, gflops: 3.66 } }),
];
