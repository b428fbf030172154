/** Binary ResNets with Bi-Real's unit: plain, Bi-Real and EBi-Real. */
import type { Architecture, Reported, ArchitectureStatus } from './architecture.js';
import { table1 } from './architecture.js';
import { type ResidualNetwork, residualBody, type Stages } from './residualNetwork.js';

interface Family extends Pick<ResidualNetwork, 'block' | 'downsample'> {
  readonly source: string;
  readonly status: ArchitectureStatus;
  readonly beyond: string;
}

function network(
  { source, status, beyond, ...blocks }: Family,
  name: string,
  title: string,
  stages: Stages,
  reported: Reported | null = null,
  rows: readonly number[] = [],
): Architecture {
  return {
    name,
    title,
    source,
    status,
    beyond,
    sameGraphAs: null,
    rows,
    reported,
    options: blocks.block === 'eBiReal' ? ['unit', 'join'] : ['unit'],
    body: residualBody({ ...blocks, stages }),
  };
}

const PLAIN: Family = {
  block: 'plain',
  source: 'Figure 2, top left: one identity over two units. Stem and downsampling are Bi-Real’s: only shortcuts differ',
  status: 'reconstructed',
  beyond: 'one shortcut over two units',
};
const BINARISED: Family = {
  block: 'plain',
  source:
    'Table 1, rows marked #: downsampling is 1-bit too. Each row there is trained, and built, in a way of its own',
  status: 'reconstructed',
  downsample: 'binary',
  beyond: 'one shortcut over two units; 1-bit downsampling',
};
const BI_REAL: Family = {
  block: 'biReal',
  source: 'Table 1 and Figure 2, top middle: a shortcut for each 1-bit conv',
  status: 'fact',
  beyond: '',
};
const EBI_REAL: Family = {
  block: 'eBiReal',
  source:
    'Figure 2, bottom left: Bi-Real with a third shortcut over two units. Whether it joins by mean or sum is not said',
  status: 'reconstructed',
  beyond: 'a third shortcut over two units',
};
const BINARISED_18 = { storageMbit: 27.9, gflops: 0.14 };

export const RESIDUAL: readonly Architecture[] = [
  network(PLAIN, 'binary-resnet18', 'binary ResNet18', [2, 2, 2, 2]),
  network(PLAIN, 'binary-resnet34', 'binary ResNet34', [3, 4, 6, 3]),
  network(BINARISED, 'binary-resnet18-binary-downsample', 'binary ResNet18#', [2, 2, 2, 2], BINARISED_18),
  network(BINARISED, 'binary-resnet34-binary-downsample', 'binary ResNet34#', [3, 4, 6, 3]),
  network(
    BI_REAL,
    'bireal-resnet18-64',
    'Bi-Real ResNet18(64)',
    [4, 4, 4, 4],
    table1(40.42, 18.29, 33.2, 0.16),
    [6, 11],
  ),
  network(
    BI_REAL,
    'bireal-resnet34-64',
    'Bi-Real ResNet34(64)',
    [6, 8, 12, 6],
    table1(36.74, 15.36, 43.3, 0.19),
    [29, 30],
  ),
  network(EBI_REAL, 'ebireal-resnet18-64', 'EBi-Real ResNet18(64)', [2, 2, 2, 2]),
];
