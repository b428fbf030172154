/** Rows of Table 1 with a topology of their own: BinaryDuo, the ReActNet without BatchNorm, BNAS-E. */
import { binaryDuo, replicate } from '../blocks/binaryDuo.js';
import { bnasCell } from '../blocks/bnasCell.js';
import { bnFree } from '../blocks/bnFree.js';
import { stem } from '../blocks/stem.js';
import type { GraphBuilder } from '../graph/builder.js';
import type { Value } from '../graph/types.js';
import { type Architecture, classifier, table1 } from './architecture.js';
import { WIDTH } from './residualNetwork.js';

const DUO_WIDTHS = [64, 90, 180, 360];
const DUO_LAST = 512;

const duoBody: Architecture['body'] = (graph, input, { classes }) => {
  const first = stem(graph, input, { outChannels: WIDTH, activation: 'relu' });
  let x = graph.batchNorm(replicate(graph, first), { name: 'stem.bn' });
  DUO_WIDTHS.forEach((outChannels, stage) => {
    for (let i = 0; i < 4; i++) {
      const name = `body.${4 * stage + i}`;
      const last = stage === DUO_WIDTHS.length - 1 && i === 3;
      if (last) x = binaryDuo(graph, x, { name, outChannels: DUO_LAST, last });
      else x = binaryDuo(graph, x, { name, outChannels, stride: i === 0 && stage > 0 ? 2 : 1 });
    }
  });
  return classifier(graph, graph.relu(x, { name: 'relu' }), classes);
};

/** 1 / √variance that is expected of each block's input: a downsampling sets it to 1, each unit adds α² = 0.04. */
const variances = (stage: number) => [stage === 0 ? 1 : 1.12, 1, 1.04, 1.08];

const bnFreeBody: Architecture['body'] = (graph, input, { classes }) => {
  let x = stem(graph, input, { outChannels: WIDTH, norm: false });
  for (let stage = 0; stage < 4; stage++) {
    variances(stage).forEach((variance, i) => {
      const shape = { outChannels: WIDTH * 2 ** stage, stride: i === 0 && stage > 0 ? 2 : 1 };
      x = bnFree(graph, x, { name: `body.${4 * stage + i}`, ...shape, beta: 1 / Math.sqrt(variance) });
    });
  }
  return classifier(graph, x, classes);
};

const CELLS = 12;
const CELL_CHANNELS = 68;

/** Three 3×3 convs with stride 2: a quarter of the size after two, `stem0`, an eighth after `stem1`. */
function bnasStems(graph: GraphBuilder, input: Value): [Value, Value] {
  const half = (x: Value, name: string, outChannels: number) =>
    graph.conv(x, { name, outChannels, kernel: 3, stride: 2, padding: 1, bias: false });
  const first = graph.batchNorm(half(input, 'stem0.0', CELL_CHANNELS / 2), { name: 'stem0.1' });
  const active = graph.relu(first, { name: 'stem0.2' });
  const stem0 = graph.batchNorm(half(active, 'stem0.3', CELL_CHANNELS), { name: 'stem0.4' });
  const stem1 = half(graph.relu(stem0, { name: 'stem1.0' }), 'stem1.1', CELL_CHANNELS);
  return [stem0, graph.batchNorm(stem1, { name: 'stem1.2' })];
}

const bnasBody: Architecture['body'] = (graph, input, { classes }) => {
  let [older, previous] = bnasStems(graph, input);
  let channels = CELL_CHANNELS;
  let olderIsLarger = true; // stem0
  for (let i = 0; i < CELLS; i++) {
    const reduction = i === CELLS / 3 || i === (2 * CELLS) / 3;
    if (reduction) channels *= 2;
    const cell = bnasCell(graph, older, previous, {
      name: `body.${i}`,
      channels,
      reduction,
      olderIsLarger,
      shortcut: i > 0,
    });
    [older, previous, olderIsLarger] = [previous, cell, reduction];
  }
  return classifier(graph, previous, classes);
};

export const SPECIAL: readonly Architecture[] = [
  {
    name: 'bnas-e',
    title: 'BNAS-E',
    status: 'fact',
    source: 'gistvision/bnas, genotype latest_cell, 12 cells of 68 channels: the accuracy of its README is the row’s',
    beyond:
      'cells of a searched topology: 1-bit 1×1, 3×3 and dilated 3×3 convs, max pools, concatenations; three 3×3 convs as stem',
    sameGraphAs: null,
    rows: [10],
    reported: table1(41.24, 19.39, 33.1, 0.16),
    options: [],
    body: bnasBody,
  },
  {
    name: 'binaryduo-resnet18',
    title: 'BinaryDuo ResNet18',
    status: 'fact',
    source: 'BinaryDuo’s code, resnet_sc_decoupled',
    beyond:
      'every channel twice with thresholds of its own, activations {0, 1}; widths 64, 90, 180, 360, at the end 512',
    sameGraphAs: null,
    rows: [18],
    reported: table1(39.1, 17.4, 33.2, 0.16),
    options: [],
    body: duoBody,
  },
  {
    name: 'reactnet18-bn-free',
    title: 'ReActNet-18 (BN-Free)',
    status: 'fact',
    source: 'VITA-Group/BNN_NoBN, Qaw_reactnet_18_bf; standardised weights fold. Its stem conv is built without a bias',
    beyond:
      'thresholds and RPReLU as in ReActNet-ResNet18, no BatchNorm at all; downsampling of real-valued maps by ±1 weights',
    sameGraphAs: null,
    rows: [19],
    reported: table1(38.9, null, 33.2, 0.16),
    options: [],
    body: bnFreeBody,
  },
];
