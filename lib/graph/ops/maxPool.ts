import { first, type OpDefinition } from './op.js';
import { poolAttrs, WINDOW_OPTIONS, type WindowOptions, windowShape } from './window.js';

/** Options of {@link GraphBuilder.maxPool}. `stride` defaults to `kernel`; `padding` is smaller than the kernel. */
export interface MaxPoolOptions extends WindowOptions {}

/** The maximum of each window; padding is −∞. */
export const maxPool: OpDefinition<'maxPool'> = {
  op: 'maxPool',
  arity: [1, 1],
  inputType: 'float32',
  options: WINDOW_OPTIONS,
  attrs: poolAttrs,
  shape: (attrs, inputs, node) => ({
    channels: first(inputs).channels,
    ...windowShape(attrs, [1, 1], first(inputs), node),
  }),
};
