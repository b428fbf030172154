/** IGP-ResNets: depth(width), stages of fractal blocks with a transition between them. Stages of width w, 2w, 4w, 8w. */
import { igpResNet, igpTransition } from '../blocks/igpResNet.js';
import { biReal } from '../blocks/residual.js';
import { stem } from '../blocks/stem.js';
import type { GraphBuilder } from '../graph/builder.js';
import type { Value } from '../graph/types.js';
import { type Architecture, type BodyOptions, classifier, type Heading, withUnit } from './architecture.js';

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

function igp(convs: number, width: number, stages: Stages, heading: Omit<Heading, 'status'>): Architecture {
  const block: Block = (graph, x, name, { unit, join }) => igpResNet(graph, x, withUnit({ name, convs, join }, unit));
  return { ...heading, status: 'reconstructed', options: ['unit', 'join'], body: body(width, stages, block) };
}

/** As many Bi-Real units a stage as the IGP network of this width has, one after another. */
function chain(width: number, units: number, igpName: string): Architecture {
  const block: Block = (graph, x, name, { unit }) => biReal(graph, x, withUnit({ name }, unit));
  return {
    name: `bireal-chain-${width}`,
    title: `Bi-Real chain (${width})`,
    source: `not in the paper: the control for ${igpName}, its units and transitions without its fractal joins`,
    status: 'reconstructed',
    reported: null,
    options: ['unit'],
    body: body(width, [units, units, units, units], block),
  };
}

const LITERAL = 'depth, width and M are the paper’s; that the blocks are fractals, two a stage, is reconstructed';
const LABEL = 'the reading by the authors’ earlier labels (columns c, depth d) and their width rule: one fractal a stage';
const REPORTED_37 = { top1Error: 37.13, top5Error: 15.63, storageMbit: 33.2, gflops: 0.13 };
const REPORTED_41 = { top1Error: 35.62, top5Error: 14.53, storageMbit: 42.6, gflops: 0.16 };

export const IGP_RESNET: readonly Architecture[] = [
  igp(3, 53, [2, 2, 2, 2], { name: 'igp-resnet21-53', title: 'IGP-ResNet21(53)', source: LITERAL, reported: null }),
  igp(7, 41, [2, 2, 2, 2], { name: 'igp-resnet37-41', title: 'IGP-ResNet37(41)', source: LITERAL, reported: REPORTED_37 }),
  igp(15, 31, [2, 2, 2, 2], { name: 'igp-resnet69-31', title: 'IGP-ResNet69(31)', source: LITERAL, reported: null }),
  igp(7, 48, [2, 2, 3, 2], { name: 'igp-resnet41-48', title: 'IGP-ResNet41(48)', source: 'depth and width are the paper’s; of fractals, only 2-2-3-2 of M = 7 fit both and its storage', reported: REPORTED_41 }),
  igp(7, 53, [1, 1, 1, 1], { name: 'igp-resnet21-53-c3d4', title: 'IGP-ResNet21(53)', source: LABEL, reported: null }),
  igp(15, 41, [1, 1, 1, 1], { name: 'igp-resnet37-41-c4d8', title: 'IGP-ResNet37(41)', source: LABEL, reported: REPORTED_37 }),
  igp(31, 31, [1, 1, 1, 1], { name: 'igp-resnet69-31-c5d16', title: 'IGP-ResNet69(31)', source: LABEL, reported: null }),
  chain(53, 6, 'IGP-ResNet21(53)'),
  chain(41, 14, 'IGP-ResNet37(41)'),
  chain(31, 30, 'IGP-ResNet69(31)'),
];
