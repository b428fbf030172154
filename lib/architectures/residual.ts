/** Binary ResNets with strided units: plain, Bi-Real and EBi-Real. Stages of width w, 2w, 4w, 8w. */
import type { Downsampling } from '../blocks/downsample.js';
import { biReal, binaryResidual, eBiReal } from '../blocks/residual.js';
import { stem } from '../blocks/stem.js';
import { type Architecture, classifier, type Reported, table1, withUnit } from './architecture.js';

const BLOCKS = { plain: binaryResidual, biReal, eBiReal };
const WIDTH = 64;

interface Family {
  readonly block: keyof typeof BLOCKS;
  readonly source: string;
  readonly status: 'fact' | 'reconstructed';
  readonly downsample?: Downsampling;
}

/** Blocks are counted through the network: `body.0`, `body.1`, … */
function network(
  { block, source, status, downsample = 'real' }: Family,
  name: string,
  title: string,
  stages: readonly number[],
  reported: Reported | null = null,
): Architecture {
  return {
    name,
    title,
    source,
    status,
    reported,
    options: block === 'eBiReal' ? ['unit', 'join'] : ['unit'],
    body(graph, input, { classes, join, unit }) {
      let x = stem(graph, input, { outChannels: WIDTH });
      let index = 0;
      stages.forEach((blocks, stage) => {
        for (let i = 0; i < blocks; i++) {
          const shape = { outChannels: WIDTH * 2 ** stage, stride: i === 0 && stage > 0 ? 2 : 1, downsample };
          const options = withUnit({ name: `body.${index++}`, ...shape }, unit);
          x = BLOCKS[block](graph, x, block === 'eBiReal' ? { ...options, join } : options);
        }
      });
      return classifier(graph, x, classes);
    },
  };
}

const PLAIN: Family = {
  block: 'plain',
  source: 'Figure 2, top left: one identity over two units. Stem and downsampling are Bi-Real’s: only shortcuts differ',
  status: 'reconstructed',
};
const BINARISED: Family = {
  block: 'plain',
  source:
    'Table 1, rows marked #: downsampling is 1-bit too. Each row there is trained, and built, in a way of its own',
  status: 'reconstructed',
  downsample: 'binary',
};
const BI_REAL: Family = {
  block: 'biReal',
  source: 'Table 1 and Figure 2, top middle: a shortcut for each 1-bit conv',
  status: 'fact',
};
const EBI_REAL: Family = {
  block: 'eBiReal',
  source:
    'Figure 2, bottom left: Bi-Real with a third shortcut over two units. Whether it joins by mean or sum is not said',
  status: 'reconstructed',
};
const BINARISED_18 = { storageMbit: 27.9, gflops: 0.14 };

export const RESIDUAL: readonly Architecture[] = [
  network(PLAIN, 'binary-resnet18', 'binary ResNet18', [2, 2, 2, 2]),
  network(PLAIN, 'binary-resnet34', 'binary ResNet34', [3, 4, 6, 3]),
  network(BINARISED, 'binary-resnet18-binary-downsample', 'binary ResNet18#', [2, 2, 2, 2], BINARISED_18),
  network(BINARISED, 'binary-resnet34-binary-downsample', 'binary ResNet34#', [3, 4, 6, 3]),
  network(BI_REAL, 'bireal-resnet18-64', 'Bi-Real ResNet18(64)', [4, 4, 4, 4], table1(40.42, 18.29, 33.2, 0.16)),
  network(BI_REAL, 'bireal-resnet34-64', 'Bi-Real ResNet34(64)', [6, 8, 12, 6], table1(36.74, 15.36, 43.3, 0.19)),
  network(EBI_REAL, 'ebireal-resnet18-64', 'EBi-Real ResNet18(64)', [2, 2, 2, 2]),
];
