import { booleanOption, first, type OpDefinition } from './op.js';
import { poolAttrs, WINDOW_OPTIONS, type WindowOptions, windowShape } from './window.js';

/** Options of {@link GraphBuilder.avgPool}. `stride` defaults to `kernel`; `padding` is smaller than the kernel. */
export interface AvgPoolOptions extends WindowOptions {
  /** False: divide by the taps inside the map instead of by the kernel's size. Default true, as in PyTorch. */
  readonly countIncludePad?: boolean;
}

/** The mean of each window; padding is 0. */
export const avgPool: OpDefinition<'avgPool'> = {
  op: 'avgPool',
  arity: [1, 1],
  inputType: 'float32',
  options: [...WINDOW_OPTIONS, 'countIncludePad'],
  attrs: (options, node) => ({
    ...poolAttrs(options, node),
    countIncludePad: booleanOption(node, 'countIncludePad', options.countIncludePad, true),
  }),
  shape: (attrs, inputs, node) => ({
    channels: first(inputs).channels,
    ...windowShape(attrs, [1, 1], first(inputs), node),
  }),
};
