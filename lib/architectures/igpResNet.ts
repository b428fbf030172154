/** IGP-ResNets: depth(width), stages of fractal blocks with a transition between them. Stages of width w, 2w, 4w, 8w. */
import { igpResNet, igpTransition } from '../blocks/igpResNet.js';
import { biReal } from '../blocks/residual.js';
import { stem } from '../blocks/stem.js';
import type { GraphBuilder } from '../graph/builder.js';
import type { Value } from '../graph/types.js';
import { type Architecture, type BodyOptions, classifier, type Reported, table1, withUnit } from './architecture.js';

type Stages = readonly number[];
type Block = (graph: GraphBuilder, x: Value, name: string, options: BodyOptions) => Value;

/** Blocks and transitions are counted together through the network: `body.0`, `body.1`, … */
function body(width: number, stages: Stages, block: Block): Architecture['body'] {
  return (graph, input, options) => {
    let x = stem(graph, input, { outChannels: width });
    let index = 0;
    stages.forEach((blocks, stage) => {
      if (stage > 0) x = igpTransition(graph, x, { name: `body.${index++}`, outChannels: width * 2 ** stage });
      for (let i = 0; i < blocks; i++) x = block(graph, x, `body.${index++}`, options);
    });
    return classifier(graph, x, options.classes);
  };
}

function igp(
  name: string,
  title: string,
  { convs, width, stages }: { readonly convs: number; readonly width: number; readonly stages: Stages },
  source: string,
  reported: Reported | null = null,
  rows: readonly number[] = [],
): Architecture {
  const block: Block = (graph, x, blockName, { unit, join }) =>
    igpResNet(graph, x, withUnit({ name: blockName, convs, join }, unit));
  return {
    name,
    title,
    source,
    status: 'reconstructed',
    beyond: `fractal blocks of ${convs} units, width ${width}; transitions between stages`,
    sameGraphAs: null,
    rows,
    reported,
    options: ['unit', 'join'],
    body: body(width, stages, block),
  };
}

/** As many Bi-Real units a stage as the IGP network of this width has, one after another. */
function chain(width: number, units: number, igpName: string): Architecture {
  const block: Block = (graph, x, name, { unit }) => biReal(graph, x, withUnit({ name }, unit));
  return {
    name: `bireal-chain-${width}`,
    title: `Bi-Real chain (${width})`,
    source: `not in the paper: the control for ${igpName}, its units and transitions without its fractal joins`,
    status: 'reconstructed',
    beyond: `width ${width}, ${units} units a stage; transitions between stages`,
    sameGraphAs: null,
    rows: [],
    reported: null,
    options: ['unit'],
    body: body(width, [units, units, units, units], block),
  };
}

const LITERAL = 'depth, width and M are the paper’s; that the blocks are fractals, two a stage, is reconstructed';
const FITTED = 'depth and width are the paper’s; of fractals, only 2-2-3-2 of M = 7 fit both and its storage';
const LABEL =
  'the reading by the authors’ earlier labels (columns c, depth d) and their width rule: one fractal a stage';
const EQUAL_MACS =
  'not in the paper: IGP-ResNet37 at no more 1-bit operations than Bi-Real ResNet18(64), 0.97 times as many';
const TWO = [2, 2, 2, 2];
const ONE = [1, 1, 1, 1];
const TABLE_37 = table1(37.13, 15.63, 33.2, 0.13);
const TABLE_41 = table1(35.62, 14.53, 42.6, 0.16);

export const IGP_RESNET: readonly Architecture[] = [
  igp('igp-resnet21-53', 'IGP-ResNet21(53)', { convs: 3, width: 53, stages: TWO }, LITERAL),
  igp('igp-resnet37-41', 'IGP-ResNet37(41)', { convs: 7, width: 41, stages: TWO }, LITERAL, TABLE_37, [22]),
  igp('igp-resnet69-31', 'IGP-ResNet69(31)', { convs: 15, width: 31, stages: TWO }, LITERAL),
  igp('igp-resnet37-32', 'IGP-ResNet37(32)', { convs: 7, width: 32, stages: TWO }, EQUAL_MACS),
  igp('igp-resnet41-48', 'IGP-ResNet41(48)', { convs: 7, width: 48, stages: [2, 2, 3, 2] }, FITTED, TABLE_41, [31]),
  igp('igp-resnet21-53-c3d4', 'IGP-ResNet21(53)', { convs: 7, width: 53, stages: ONE }, LABEL),
  igp('igp-resnet37-41-c4d8', 'IGP-ResNet37(41)', { convs: 15, width: 41, stages: ONE }, LABEL, TABLE_37, [22]),
  igp('igp-resnet69-31-c5d16', 'IGP-ResNet69(31)', { convs: 31, width: 31, stages: ONE }, LABEL),
  chain(53, 6, 'IGP-ResNet21(53)'),
  chain(41, 14, 'IGP-ResNet37(41)'),
  chain(31, 30, 'IGP-ResNet69(31)'),
];
