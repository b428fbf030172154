/** Every op, once. The builder's methods, the JSON reader and the tests follow this table. */
import type { OpName } from '../types.js';
import { add } from './add.js';
import { avgPool } from './avgPool.js';
import { batchNorm } from './batchNorm.js';
import { binaryConv } from './binaryConv.js';
import { concat } from './concat.js';
import { conv } from './conv.js';
import { globalAvgPool } from './globalAvgPool.js';
import { hardtanh } from './hardtanh.js';
import { input } from './input.js';
import { linear } from './linear.js';
import { maxPool } from './maxPool.js';
import type { OpDefinition } from './op.js';
import { prelu } from './prelu.js';
import { relu } from './relu.js';
import { scale } from './scale.js';
import { sign } from './sign.js';

export const OPS: { readonly [Op in OpName]: OpDefinition<Op> } = Object.freeze({
  input,
  sign,
  binaryConv,
  conv,
  linear,
  batchNorm,
  add,
  concat,
  scale,
  relu,
  hardtanh,
  prelu,
  maxPool,
  avgPool,
  globalAvgPool,
});
export const OP_NAMES = Object.freeze(Object.keys(OPS)) as readonly OpName[];
