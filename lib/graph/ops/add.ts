import { broadcastShape, noAttrs, type OpDefinition } from './op.js';

/** a + b: two maps of one shape, or a second one that is broadcast (C×1×1, 1×H×W, 1×1×1). */
export const add: OpDefinition<'add'> = {
  op: 'add',
  arity: [2, 2],
  inputType: 'float32',
  options: [],
  attrs: noAttrs,
  shape: broadcastShape,
};
