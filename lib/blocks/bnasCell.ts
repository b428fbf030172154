import { checkBoolean, checkOptions } from '../check.js';
import type { GraphBuilder } from '../graph/builder.js';
import type { Value } from '../graph/types.js';
import { paddingUp } from './downsample.js';

/** Options of {@link bnasCell}. */
export interface BnasCellOptions {
  /** Scope of the cell's nodes. */
  readonly name: string;
  /** C of each node; the cell has 4C. */
  readonly channels: number;
  /** Halves height and width. */
  readonly reduction: boolean;
  /** Is the older input twice as high and wide as the previous one, because a cell between them halved it? */
  readonly olderIsLarger: boolean;
  /** The shortcut from the previous cell round this one. Default true. */
  readonly shortcut?: boolean;
}

type Op = 'bin3' | 'dil3' | 'max3';
/** Two (op, input) for each node. Inputs: 0 is the older cell, 1 the previous one, 2 … the nodes before. */
type Genotype = readonly (readonly [readonly [Op, number], readonly [Op, number]])[];

const NORMAL: Genotype = [
  [
    ['bin3', 1],
    ['dil3', 0],
  ],
  [
    ['bin3', 1],
    ['bin3', 2],
  ],
  [
    ['bin3', 2],
    ['dil3', 1],
  ],
  [
    ['dil3', 1],
    ['bin3', 0],
  ],
];
const REDUCTION: Genotype = [
  [
    ['max3', 0],
    ['max3', 1],
  ],
  [
    ['max3', 0],
    ['bin3', 2],
  ],
  [
    ['max3', 0],
    ['dil3', 3],
  ],
  [
    ['max3', 0],
    ['dil3', 4],
  ],
];

/** BNAS's binary conv: BatchNorm `bn` → Sign → 1-bit conv `conv` with a scale for each filter → ReLU, and no BatchNorm after it. */
function binary(
  graph: GraphBuilder,
  x: Value,
  name: string,
  window: { outChannels: number; kernel: number; stride: number; dilation?: number },
): Value {
  const { kernel, dilation = 1 } = window;
  const padding = (dilation * (kernel - 1)) / 2;
  return graph.scope(name, () => {
    const bits = graph.sign(graph.batchNorm(x, { name: 'bn' }));
    return graph.relu(graph.binaryConv(bits, { ...window, name: 'conv', padding, scale: true }));
  });
}

/**
 * Cell of BNAS (ImageNet genotype): both inputs come to C channels by 1-bit convs `preprocess0`, `preprocess1`; each of four
 * nodes is the sum of two ops `ops.0` … `ops.7` (3×3 1-bit conv, the same with dilation 2, 3×3 max pool); the nodes are
 * concatenated, and the previous cell's output is added, in a reduction cell through BatchNorm `down.0` → full-precision 2×2
 * conv `down.1` with stride 2 and bias. Source: gistvision/bnas, genotype `latest_cell`.
 *
 * @throws What the methods of {@link GraphBuilder} throw.
 */
export function bnasCell(graph: GraphBuilder, older: Value, previous: Value, options: BnasCellOptions): Value {
  checkOptions('bnasCell', options, ['name', 'channels', 'reduction', 'olderIsLarger', 'shortcut']);
  const { name, channels: outChannels } = options;
  const reduction = checkBoolean('reduction of bnasCell', options.reduction);
  const olderIsLarger = checkBoolean('olderIsLarger of bnasCell', options.olderIsLarger);
  const hasShortcut = checkBoolean('shortcut of bnasCell', options.shortcut ?? true);
  return graph.scope(name, () => {
    const first = olderIsLarger ? { outChannels, kernel: 3, stride: 2 } : { outChannels, kernel: 1, stride: 1 };
    const states = [
      binary(graph, older, 'preprocess0', first),
      binary(graph, previous, 'preprocess1', { outChannels, kernel: 1, stride: 1 }),
    ];
    let index = 0;
    const apply = ([op, from]: readonly [Op, number]) => {
      const x = states[from] as Value; // a genotype only looks back
      const opName = `ops.${index++}`;
      const stride = reduction && from < 2 ? 2 : 1;
      if (op === 'max3') return graph.maxPool(x, { name: opName, kernel: 3, stride, padding: 1 });
      const dilation = op === 'dil3' ? 2 : 1;
      return binary(graph, x, opName, { outChannels, kernel: 3, stride, dilation });
    };
    for (const [a, b] of reduction ? REDUCTION : NORMAL) states.push(graph.add(apply(a), apply(b)));
    const nodes = graph.concat(states.slice(2));
    if (!hasShortcut) return nodes;
    return graph.add(nodes, reduction ? halved(graph, previous, 4 * outChannels) : previous);
  });
}

function halved(graph: GraphBuilder, x: Value, outChannels: number): Value {
  return graph.scope('down', () => {
    const normal = graph.batchNorm(x, { name: '0' });
    return graph.conv(normal, { name: '1', outChannels, kernel: 2, stride: 2, padding: paddingUp(x, 2) });
  });
}
