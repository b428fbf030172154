/** Every op, once. The builder's methods, the JSON reader and the tests follow this table. */
import type { OpName } from '../types.js';
import { abs } from './abs.js';
import { add } from './add.js';
import { avgPool } from './avgPool.js';
import { batchNorm } from './batchNorm.js';
import { bias } from './bias.js';
import { binaryConv } from './binaryConv.js';
import { binaryWeightConv } from './binaryWeightConv.js';
import { channelInteraction } from './channelInteraction.js';
import { channelMean } from './channelMean.js';
import { concat } from './concat.js';
import { conv } from './conv.js';
import { globalAvgPool } from './globalAvgPool.js';
import { hardtanh } from './hardtanh.js';
import { heaviside } from './heaviside.js';
import { input } from './input.js';
import { linear } from './linear.js';
import { maxPool } from './maxPool.js';
import { mul } from './mul.js';
import { padChannels } from './padChannels.js';
import { prelu } from './prelu.js';
import { rank1Scale } from './rank1Scale.js';
import { relu } from './relu.js';
import { scale } from './scale.js';
import { sigmoid } from './sigmoid.js';
import { sign } from './sign.js';
import { slice } from './slice.js';
import { ternary } from './ternary.js';
import type { OpDefinition } from './op.js';

export const OPS: { readonly [Op in OpName]: OpDefinition<Op> } = Object.freeze({
  input,
  sign,
  heaviside,
  ternary,
  binaryConv,
  binaryWeightConv,
  conv,
  linear,
  batchNorm,
  add,
  mul,
  bias,
  concat,
  scale,
  rank1Scale,
  relu,
  abs,
  sigmoid,
  hardtanh,
  prelu,
  maxPool,
  avgPool,
  globalAvgPool,
  channelMean,
  slice,
  padChannels,
  channelInteraction,
});
export const OP_NAMES = Object.freeze(Object.keys(OPS)) as readonly OpName[];
