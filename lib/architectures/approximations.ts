/**
 * Value approximations of Table 1 on ResNet: rows whose graph is Bi-Real's or the plain block's topology with another unit,
 * stem, downsampling or end. All have BatchNorm's eps of 1e-5; another goes into the variance when weights are converted.
 */
import { ciBnnUnit } from '../blocks/units/bnn.js';
import type { Architecture, Reported, ArchitectureStatus } from './architecture.js';
import { table1 } from './architecture.js';
import { type ResidualNetwork, residualBody } from './residualNetwork.js';

interface About {
  readonly status: ArchitectureStatus;
  readonly source: string;
  readonly beyond: string;
  readonly sameGraphAs?: string;
}

function approximation(
  name: string,
  title: string,
  row: number,
  reported: Reported,
  about: About,
  network: ResidualNetwork,
): Architecture {
  const { sameGraphAs = null } = about;
  return { name, title, ...about, sameGraphAs, rows: [row], reported, options: [], body: residualBody(network) };
}

const TWO = [2, 2, 2, 2];
/** One shortcut over two units, downsampling in one bit: the rows marked #. */
const PLAIN = { block: 'plain', stages: TWO, downsample: 'binary' } as const;
const UNSCALED = { type: 'binary', scale: false } as const;
/** A shortcut for each unit. */
const BI_REAL = { block: 'biReal', stages: [4, 4, 4, 4] } as const;
const STEM = 'Stem and end are Bi-Real’s';

const TBN: About = {
  status: 'reconstructed',
  source:
    'pre-activation blocks, stem and end of dnvtmf/TBN; downsampling is 1-bit, as Table 1’s # says (full precision in that code), with activations of ±1 as in the other rows marked #',
  beyond:
    'one shortcut over two units; BatchNorm → ternary → conv; 1-bit downsampling; stem without BatchNorm; BatchNorm and ReLU at the end',
};
const TBN_NETWORK = {
  block: 'plain',
  downsample: 'binary',
  unit: 'ternary',
  stem: { norm: false },
  end: { norm: true, relu: true },
} as const;

export const APPROXIMATIONS: readonly Architecture[] = [
  approximation(
    'bnn-resnet18',
    'BNN ResNet18#',
    1,
    table1(57.8, 30.8, 27.9, 0.14),
    {
      status: 'reconstructed',
      source: `BinaryNet’s residual block as CI-BCNN’s code keeps it; which ResNet18 gave the reported error is not known. ${STEM}`,
      beyond:
        'one shortcut over two units, added before the BatchNorm; hardtanh after it; no scales; 1-bit downsampling',
    },
    { ...PLAIN, downsample: UNSCALED, unit: 'bnn' },
  ),
  approximation(
    'xnor-resnet18',
    'XNOR ResNet18#',
    2,
    table1(48.8, 26.8, 28, 0.14),
    {
      status: 'reconstructed',
      source: `block order of XNOR-Net’s code (AlexNet only) in the pre-activation ResNet block of binary-networks-pytorch; K from the paper and BMXNet-v2. 1-bit shortcuts have α and no K. ${STEM}`,
      beyond:
        'one shortcut over two units; BatchNorm → sign → conv · α · K → ReLU, K a map of each image; 1-bit downsampling',
    },
    { ...PLAIN, unit: 'xnor' },
  ),
  approximation('tbn-resnet18', 'TBN-ResNet18#', 5, table1(44.4, 25.8, 27.9, 0.17), TBN, {
    ...TBN_NETWORK,
    stages: TWO,
  }),
  approximation('tbn-resnet34', 'TBN-ResNet34#', 28, table1(41.8, 19, 38, 0.23), TBN, {
    ...TBN_NETWORK,
    stages: [3, 4, 6, 3],
  }),
  approximation(
    'ci-net-resnet18-binary-downsample',
    'CI-Net ResNet18#',
    7,
    table1(43.3, 19.9, 27.9, 0.14),
    {
      status: 'declared',
      source: `CI-BCNN’s code (CIFAR network): interactions on the counts of BNN’s block. The ImageNet network and its pairs are not published; a pair for each output channel is our choice. ${STEM}`,
      beyond: 'BNN ResNet18’s graph with an interaction of channels after each 3×3 conv',
    },
    { ...PLAIN, downsample: UNSCALED, unit: ciBnnUnit },
  ),
  approximation(
    'xnor-net-pp-resnet18',
    'XNOR-Net++ ResNet18#',
    8,
    table1(42.9, 20.1, 28, 0.14),
    {
      status: 'reconstructed',
      source: `the paper’s rank-1 scales (as Larq Zoo has them) in XNOR-Net’s block, without K; 1-bit shortcuts have α only. ${STEM}`,
      beyond:
        'one shortcut over two units; BatchNorm → sign → conv · α ⊗ β ⊗ γ → ReLU; 1-bit downsampling; one size of picture',
    },
    { ...PLAIN, unit: 'xnor-net-pp' },
  ),
  approximation(
    'ir-resnet18',
    'IR-ResNet18',
    9,
    table1(41.9, 20, 33.1, 0.16),
    {
      status: 'fact',
      source: 'IR-Net’s code, ImageNet/ResNet18/1w1a; its balanced, standardised weights fold into bits and scales',
      beyond:
        'hardtanh after the stem’s BatchNorm and every add; strided 1×1 downsampling; BatchNorm before the classifier',
    },
    { ...BI_REAL, unit: 'ir', downsample: 'strided', stem: { activation: 'hardtanh' }, end: { pooledNorm: true } },
  ),
  approximation(
    'si-resnet18',
    'Si-ResNet18',
    12,
    table1(40.3, 18.2, 33.2, 0.16),
    {
      status: 'fact',
      source:
        'SiBNN’s code, resnet18_sibnn_bireal_learn. Its shift and factor before the binarisation merge into the BatchNorm there; its downsampling has the pool last, which gives the same sums (all of it is linear) at four times the cost',
      beyond: 'activations {0, 1}, a BatchNorm before them; ReLU at the end',
    },
    { ...BI_REAL, unit: 'si', end: { relu: true } },
  ),
  approximation(
    'ci-net-resnet18',
    'CI-Net ResNet18',
    13,
    table1(40.1, 17.8, 33.2, 0.16),
    {
      status: 'declared',
      source:
        'the paper’s variant with Bi-Real’s shortcuts; interactions as in CI-BCNN’s code. The pairs are not published; a pair for each output channel is our choice',
      beyond: 'an interaction of channels on the counts of each 3×3 conv; no scales',
    },
    { ...BI_REAL, unit: 'ci' },
  ),
  approximation(
    'rbnn-resnet18',
    'RBNN-ResNet18',
    14,
    table1(40.1, 18.1, 33.2, 0.16),
    {
      status: 'fact',
      source: 'RBNN’s code, imagenet/; its rotations fold into the bits',
      beyond: 'IR-ResNet18’s graph, the mean of each image’s map subtracted before every sign',
    },
    { ...BI_REAL, unit: 'rbnn', downsample: 'strided', stem: { activation: 'hardtanh' }, end: { pooledNorm: true } },
  ),
  approximation(
    'ft-resnet18',
    'FT-ResNet18',
    15,
    table1(39.8, null, 33.2, 0.16),
    {
      status: 'declared',
      source:
        'taken to be FTBNN (Su et al., 2020), whose abstract speaks of proper non-linear modules; a PReLU after each BatchNorm is our choice',
      beyond: 'PReLU after each unit’s BatchNorm, before the add',
    },
    { ...BI_REAL, unit: 'ft' },
  ),
  approximation(
    'dgrl-resnet18',
    'DGRL-ResNet18 (K=1)',
    16,
    table1(39.55, null, 33.2, 0.16),
    {
      status: 'declared',
      source:
        'DGRL (Ye et al., 2020): a light “squeeze and interaction” branch beside each conv, under 10 % more parameters. Its layers (1×1 convs C → C/8 → C with BatchNorm and ReLU), and K = 1 read as their kernel, are our choice',
      beyond: 'beside each unit a full-precision branch of two 1×1 convs, C → C/8 → C',
    },
    { ...BI_REAL, unit: 'dgrl' },
  ),
  approximation(
    'ia-bnn-resnet18',
    'IA-BNN-ResNet18',
    21,
    table1(37.2, 15.7, 33.2, 0.16),
    {
      status: 'declared',
      source:
        'taken to be Kim et al., CVPR 2021 (unbalanced activation distribution), by the reported error: a constant shift of the threshold. A PReLU, if its network had one, is not there',
      beyond: 'signs with a threshold, one number for all channels there',
    },
    { ...BI_REAL, unit: 'ia' },
  ),
  approximation(
    'real-to-bin-resnet18',
    'Real-to-bin ResNet18',
    25,
    table1(34.6, 13.8, 33.2, 0.16),
    {
      status: 'fact',
      source:
        'Larq Zoo’s RealToBinaryNet, to which the authors’ page points; padding is PyTorch’s, not TensorFlow’s “same”',
      beyond:
        'BatchNorm → sign → conv · gate → PReLU without a BatchNorm after the conv; gates of 294 400 full-precision weights; PReLU in the stem',
    },
    { ...BI_REAL, unit: 'real-to-binary', stem: { activation: 'prelu' } },
  ),
  approximation(
    'reactnet-resnet18',
    'ReActNet-ResNet18',
    26,
    table1(34.1, null, 33.2, 0.16),
    {
      status: 'fact',
      source: 'ReActNet’s code, resnet/2_step2/birealnet.py',
      beyond: 'a threshold for each channel before the conv, RPReLU after the add: 14 912 numbers',
    },
    { ...BI_REAL, unit: 'reactnet' },
  ),
  approximation(
    'dir-net2-resnet18',
    'DIR-Net² ResNet18',
    27,
    table1(33.9, 13.6, 33.2, 0.16),
    {
      status: 'declared',
      source:
        'DIR-Net (2023): weights as IR-Net’s, which fold. What the superscript 2 stands for is not known; ReActNet’s structure is our choice, by the reported error',
      beyond: 'ReActNet-ResNet18’s graph',
      sameGraphAs: 'reactnet-resnet18',
    },
    { ...BI_REAL, unit: 'reactnet' },
  ),
];
