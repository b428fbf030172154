/** Binary ResNets with strided units: plain, Bi-Real and EBi-Real. Stages of width w, 2w, 4w, 8w. */
import type { Downsampling } from '../blocks/downsample.js';
import { biReal, binaryResidual, eBiReal } from '../blocks/residual.js';
import { stem } from '../blocks/stem.js';
import { type Architecture, classifier, type Heading, withUnit } from './architecture.js';

type Block = 'plain' | 'biReal' | 'eBiReal';

/** Blocks of each stage are counted through the network: `body.0`, `body.1`, … */
function network(block: Block, width: number, stages: readonly number[], heading: Heading, downsample: Downsampling = 'real'): Architecture {
  return {
    ...heading,
    options: block === 'eBiReal' ? ['unit', 'join'] : ['unit'],
    body(graph, input, { classes, join, unit }) {
      let x = stem(graph, input, { outChannels: width });
      let index = 0;
      stages.forEach((blocks, stage) => {
        for (let i = 0; i < blocks; i++) {
          const stride = i === 0 && stage > 0 ? 2 : 1;
          const options = withUnit({ name: `body.${index++}`, outChannels: width * 2 ** stage, stride, downsample }, unit);
          if (block === 'eBiReal') x = eBiReal(graph, x, { ...options, join });
          else x = (block === 'biReal' ? biReal : binaryResidual)(graph, x, options);
        }
      });
      return classifier(graph, x, classes);
    },
  };
}

const PLAIN = 'Figure 2, top left: one identity over two units. Stem and full-precision downsampling are Bi-Real’s, so that only the shortcuts differ';
const BINARISED = 'Table 1, rows marked #: the downsampling 1×1 convs are 1-bit too. No row is this very network: they train it in ways of their own';
const BI_REAL = 'Table 1 and Figure 2, top middle: a shortcut for each 1-bit conv';

export const RESIDUAL: readonly Architecture[] = [
  network('plain', 64, [2, 2, 2, 2], { name: 'binary-resnet18', title: 'binary ResNet18', source: PLAIN, status: 'reconstructed', reported: null }),
  network('plain', 64, [3, 4, 6, 3], { name: 'binary-resnet34', title: 'binary ResNet34', source: PLAIN, status: 'reconstructed', reported: null }),
  network('plain', 64, [2, 2, 2, 2], { name: 'binary-resnet18-binary-downsample', title: 'binary ResNet18#', source: BINARISED, status: 'reconstructed', reported: { storageMbit: 27.9, gflops: 0.14 } }, 'binary'),
  network('plain', 64, [3, 4, 6, 3], { name: 'binary-resnet34-binary-downsample', title: 'binary ResNet34#', source: BINARISED, status: 'reconstructed', reported: null }, 'binary'),
  network('biReal', 64, [4, 4, 4, 4], { name: 'bireal-resnet18-64', title: 'Bi-Real ResNet18(64)', source: BI_REAL, status: 'fact', reported: { top1Error: 40.42, top5Error: 18.29, storageMbit: 33.2, gflops: 0.16 } }),
  network('biReal', 64, [6, 8, 12, 6], { name: 'bireal-resnet34-64', title: 'Bi-Real ResNet34(64)', source: BI_REAL, status: 'fact', reported: { top1Error: 36.74, top5Error: 15.36, storageMbit: 43.3, gflops: 0.19 } }),
  network('eBiReal', 64, [2, 2, 2, 2], { name: 'ebireal-resnet18-64', title: 'EBi-Real ResNet18(64)', source: 'Figure 2, bottom left: Bi-Real with a third shortcut over two units. Mean or sum where it joins is not said', status: 'reconstructed', reported: null }),
];
