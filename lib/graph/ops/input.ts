import type { Shape } from '../types.js';
import { integerOption, type NameOption, type OpDefinition } from './op.js';

/** Options of {@link GraphBuilder.input}: the shape of one image. */
export interface InputOptions extends NameOption, Shape {}

/** The network's input: one real-valued map for each image. */
export const input: OpDefinition<'input'> = {
  op: 'input',
  arity: [0, 0],
  inputType: 'float32',
  options: ['channels', 'height', 'width'],
  attrs: (options, node) => ({
    channels: integerOption(node, 'channels', options.channels, 1),
    height: integerOption(node, 'height', options.height, 1),
    width: integerOption(node, 'width', options.width, 1),
  }),
  shape: ({ channels, height, width }) => ({ channels, height, width }),
};
