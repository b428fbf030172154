import { first, noAttrs, type OpDefinition } from './op.js';

/** Mean over the whole map; the result is 1×1. */
export const globalAvgPool: OpDefinition<'globalAvgPool'> = {
  op: 'globalAvgPool',
  arity: [1, 1],
  inputType: 'float32',
  options: [],
  attrs: noAttrs,
  shape: (_attrs, inputs) => ({ channels: first(inputs).channels, height: 1, width: 1 }),
};
