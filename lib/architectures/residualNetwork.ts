/** The body of every binary ResNet with strided units: stem, stages of width w, 2w, 4w, 8w, end. */
import { biReal, binaryResidual, eBiReal, type ResidualOptions } from '../blocks/residual.js';
import { type StemOptions, stem } from '../blocks/stem.js';
import type { Unit } from '../blocks/unit.js';
import type { UnitName } from '../blocks/units/index.js';
import { type Architecture, classifier } from './architecture.js';

const BLOCKS = { plain: binaryResidual, biReal, eBiReal };
export const WIDTH = 64;

/** Blocks of each stage: one conv each in Bi-Real's, two in the others. */
export type Stages = readonly number[];

export interface ResidualNetwork {
  readonly block: keyof typeof BLOCKS;
  readonly stages: Stages;
  /** Where nobody asks for another. Default: the blocks' own. */
  readonly unit?: Unit | UnitName;
  readonly downsample?: ResidualOptions['downsample'];
  readonly stem?: Pick<StemOptions, 'activation' | 'norm'>;
  /** Before the global average pool: BatchNorm `norm`, ReLU `relu`; after it: BatchNorm `fc_norm`. Default: none of them. */
  readonly end?: { readonly norm?: true; readonly relu?: true; readonly pooledNorm?: true };
}

/** Blocks are counted through the network: `body.0`, `body.1`, … */
export function residualBody({ block, stages, downsample = 'real', end = {}, ...rest }: ResidualNetwork) {
  const body: Architecture['body'] = (graph, input, { classes, join, unit = rest.unit }) => {
    let x = stem(graph, input, { outChannels: WIDTH, ...rest.stem });
    let index = 0;
    stages.forEach((blocks, stage) => {
      for (let i = 0; i < blocks; i++) {
        const shape = { outChannels: WIDTH * 2 ** stage, stride: i === 0 && stage > 0 ? 2 : 1, downsample };
        const options = { name: `body.${index++}`, ...shape, ...(unit === undefined ? {} : { unit }) };
        x = BLOCKS[block](graph, x, block === 'eBiReal' ? { ...options, join } : options);
      }
    });
    if (end.norm) x = graph.batchNorm(x, { name: 'norm' });
    if (end.relu) x = graph.relu(x, { name: 'relu' });
    return classifier(graph, x, classes, { norm: end.pooledNorm ?? false });
  };
  return body;
}
