/** The paper's Table 1, all 39 rows in its order, as printed: ImageNet, errors in per cent. */

/** Rows that the paper's text compares with each other: ResNet18, ResNet34, the two DenseNets, full precision. */
export type SizeClass = '18' | '34' | 'dense51' | 'dense69' | 'float';

/** A row of the paper's Table 1, as printed. */
export interface Table1Row {
  /** 1 to 39. */
  readonly row: number;
  /** As printed, marks included: * cited from the published paper, # downsampling binarised. */
  readonly label: string;
  /** True where the paper cites its figures (*). */
  readonly cited: boolean;
  /** True where its downsampling is 1-bit (#). */
  readonly binaryDownsample: boolean;
  /** Per cent. */
  readonly top1Error: number;
  /** Per cent; null where the table has a dash. */
  readonly top5Error: number | null;
  /** Storage in 10⁶ bits. */
  readonly storageMbit: number;
  /** 10⁹ "Flops": 1-bit multiply-accumulates / 64 and full-precision ones. */
  readonly gflops: number;
  /** The name of the network in `listArchitectures()`. */
  readonly architecture: string;
  /** The rows that it is compared with. */
  readonly sizeClass: SizeClass;
}

type Line = readonly [
  label: string,
  top1: number,
  top5: number | null,
  mbit: number,
  gflops: number,
  architecture: string,
  size: SizeClass,
];

const LINES: readonly Line[] = [
  ['BNN ResNet18#*', 57.8, 30.8, 27.9, 0.14, 'bnn-resnet18', '18'],
  ['XNOR ResNet18#*', 48.8, 26.8, 28.0, 0.14, 'xnor-resnet18', '18'],
  ['S²-Bi-Real ResNet18*', 48.76, 24.11, 33.2, 0.16, 's2-bireal-resnet18', '18'],
  ['Bin ResNet18#*', 45.8, 22.1, 27.9, 0.14, 'bin-resnet18', '18'],
  ['TBN-ResNet18#*', 44.4, 25.8, 27.9, 0.17, 'tbn-resnet18', '18'],
  ['Bi-Real ResNet18*', 43.6, 20.5, 33.2, 0.16, 'bireal-resnet18-64', '18'],
  ['CI-Net ResNet18#*', 43.3, 19.9, 27.9, 0.14, 'ci-net-resnet18-binary-downsample', '18'],
  ['XNOR-Net++ ResNet18#*', 42.9, 20.1, 28.0, 0.14, 'xnor-net-pp-resnet18', '18'],
  ['IR-ResNet18*', 41.9, 20.0, 33.1, 0.16, 'ir-resnet18', '18'],
  ['BNAS-E*', 41.24, 19.39, 33.1, 0.16, 'bnas-e', '18'],
  ['Bi-Real ResNet18(64)', 40.42, 18.29, 33.2, 0.16, 'bireal-resnet18-64', '18'],
  ['Si-ResNet18*', 40.3, 18.2, 33.2, 0.16, 'si-resnet18', '18'],
  ['CI-Net ResNet18*', 40.1, 17.8, 33.2, 0.16, 'ci-net-resnet18', '18'],
  ['RBNN-ResNet18*', 40.1, 18.1, 33.2, 0.16, 'rbnn-resnet18', '18'],
  ['FT-ResNet18*', 39.8, null, 33.2, 0.16, 'ft-resnet18', '18'],
  ['DGRL-ResNet18 (K=1)*', 39.55, null, 33.2, 0.16, 'dgrl-resnet18', '18'],
  ['UaBNN-ResNet18*', 39.4, 17.8, 33.2, 0.16, 'uabnn-resnet18', '18'],
  ['BinaryDuo ResNet18*', 39.1, 17.4, 33.2, 0.16, 'binaryduo-resnet18', '18'],
  ['ReActNet-18 (BN-Free)*', 38.9, null, 33.2, 0.16, 'reactnet18-bn-free', '18'],
  ['SA-BNN-ResNet18*', 38.3, 17.2, 33.2, 0.16, 'sa-bnn-resnet18', '18'],
  ['IA-BNN-ResNet18*', 37.2, 15.7, 33.2, 0.16, 'ia-bnn-resnet18', '18'],
  ['IGP-ResNet37(41)', 37.13, 15.63, 33.2, 0.13, 'igp-resnet37-41', '18'],
  ['FULW-ResNet18*', 36.6, 15.4, 33.2, 0.16, 'fulw-resnet18', '18'],
  ['ProxyResNet18*', 36.3, 15.2, 33.2, 0.16, 'proxy-resnet18', '18'],
  ['Real-to-bin ResNet18*', 34.6, 13.8, 33.2, 0.16, 'real-to-bin-resnet18', '18'],
  ['ReActNet-ResNet18*', 34.1, null, 33.2, 0.16, 'reactnet-resnet18', '18'],
  ['DIR-Net²-ResNet18*', 33.9, 13.6, 33.2, 0.16, 'dir-net2-resnet18', '18'],
  ['TBN-ResNet34#*', 41.8, 19.0, 38.0, 0.23, 'tbn-resnet34', '34'],
  ['Bi-Real ResNet34*', 37.8, 16.1, 43.3, 0.19, 'bireal-resnet34-64', '34'],
  ['Bi-Real ResNet34(64)', 36.74, 15.36, 43.3, 0.19, 'bireal-resnet34-64', '34'],
  ['IGP-ResNet41(48)', 35.62, 14.53, 42.6, 0.16, 'igp-resnet41-48', '34'],
  ['BinaryDenseNet51(32)*', 39.3, 17.6, 34.8, 0.27, 'binary-densenet51-32', 'dense51'],
  ['BinaryDenseNet51(32)', 38.14, 16.8, 34.8, 0.27, 'binary-densenet51-32', 'dense51'],
  ['IGP-DenseNet51(53)', 36.73, 15.54, 34.5, 0.3, 'igp-densenet51-53', 'dense51'],
  ['BinaryDenseNet69(32)*', 37.5, 16.1, 42.0, 0.28, 'binary-densenet69-32', 'dense69'],
  ['BinaryDenseNet69(32)', 36.26, 15.24, 42.0, 0.28, 'binary-densenet69-32', 'dense69'],
  ['IGP-DenseNet69(48)', 35.2, 14.59, 41.5, 0.31, 'igp-densenet69-48', 'dense69'],
  ['Full-precision ResNet18*', 30.7, 10.8, 374.1, 1.81, 'resnet18', 'float'],
  ['Full-precision ResNet34*', 26.8, 8.6, 697.3, 3.66, 'resnet34', 'float'],
];

/** Table 1, row by row. */
export const TABLE_1: readonly Table1Row[] = Object.freeze(
  LINES.map(([label, top1Error, top5Error, storageMbit, gflops, architecture, sizeClass], index) =>
    Object.freeze({
      row: index + 1,
      label,
      cited: label.endsWith('*'),
      binaryDownsample: label.includes('#'),
      top1Error,
      top5Error,
      storageMbit,
      gflops,
      architecture,
      sizeClass,
    }),
  ),
);
