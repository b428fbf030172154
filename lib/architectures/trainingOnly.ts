/** Rows of Table 1 whose method changes how a network is trained, or what its parameters are, and not what it computes. */
import { type Architecture, type Reported, type ArchitectureStatus, table1 } from './architecture.js';
import { RESIDUAL } from './residual.js';

interface About {
  readonly status: ArchitectureStatus;
  readonly source: string;
  /** The architecture whose graph it is. Default: Bi-Real ResNet18. */
  readonly graphOf?: string;
}

function trained(name: string, title: string, row: number, reported: Reported, about: About): Architecture {
  const { status, source, graphOf = 'bireal-resnet18-64' } = about;
  const same = RESIDUAL.find((architecture) => architecture.name === graphOf) as Architecture; // all are below
  const { beyond, body } = same;
  return { name, title, status, source, beyond, sameGraphAs: graphOf, rows: [row], reported, options: [], body };
}

export const TRAINING_ONLY: readonly Architecture[] = [
  trained('s2-bireal-resnet18', 'S²-Bi-Real ResNet18', 3, table1(48.76, 24.11, 33.2, 0.16), {
    status: 'declared',
    source:
      'taken to be S2-BNN (CVPR 2021), self-supervised distillation, with Bi-Real ResNet18 as its network; its code has another network only',
  }),
  trained('bin-resnet18', 'Bin ResNet18#', 4, table1(45.8, 22.1, 27.9, 0.14), {
    status: 'declared',
    source:
      'taken to be Trained Binarization (Xu & Cheung, 2019), by the reported error: a learnt scale of weights and one of activations, which fold into the conv’s scale. Activations of ±1 (not {0, 1}) and one shortcut over two units are our choice',
    graphOf: 'binary-resnet18-binary-downsample',
  }),
  trained('uabnn-resnet18', 'UaBNN-ResNet18', 17, table1(39.4, 17.8, 33.2, 0.16), {
    status: 'reconstructed',
    source:
      'UaBNN (IJCAI 2021): certainty-sign and regularisation change training; weights are ±1 in the end. That its network is plain Bi-Real, without PReLU, is inferred',
  }),
  trained('sa-bnn-resnet18', 'SA-BNN-ResNet18', 20, table1(38.3, 17.2, 33.2, 0.16), {
    status: 'reconstructed',
    source:
      'SA-BNN (AAAI 2021): state-aware gradients change training. That its network is Bi-Real’s, block order included, is inferred',
  }),
  trained('fulw-resnet18', 'FULW-ResNet18', 23, table1(36.6, 15.4, 33.2, 0.16), {
    status: 'reconstructed',
    source:
      'FULW (2021): real-valued weights in the graph of training aid it, and are not there afterwards. That the network is Bi-Real’s, without PReLU, is inferred',
  }),
  trained('proxy-resnet18', 'ProxyResNet18', 24, table1(36.3, 15.2, 33.2, 0.16), {
    status: 'reconstructed',
    source:
      'ProxyBNN (ECCV 2020): weights are made by a proxy matrix before they are binarised. That the network is Bi-Real’s, without PReLU, is inferred',
  }),
];
