/** The full-precision baselines, by torchvision's names, so that its weights load. */
import { floatResidual } from '../blocks/floatResidual.js';
import { stem } from '../blocks/stem.js';
import { type Architecture, classifier, type Reported, table1 } from './architecture.js';

function network(
  name: string,
  title: string,
  stages: readonly number[],
  reported: Reported,
  row: number,
): Architecture {
  return {
    name,
    title,
    reported,
    source: 'Table 1; torchvision’s network of this name',
    status: 'fact',
    beyond: 'nothing is 1-bit',
    sameGraphAs: null,
    rows: [row],
    options: [],
    body(graph, input, { classes }) {
      let x = stem(graph, input, { outChannels: 64, activation: 'relu', convName: 'conv1', normName: 'bn1' });
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
  network('resnet18', 'Full-precision ResNet18', [2, 2, 2, 2], table1(30.7, 10.8, 374.1, 1.81), 38),
  network('resnet34', 'Full-precision ResNet34', [3, 4, 6, 3], table1(26.8, 8.6, 697.3, 3.66), 39),
];
