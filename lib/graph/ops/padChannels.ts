import { argumentError } from '../../check.js';
import { first, integerOption, type NameOption, type OpDefinition } from './op.js';

/** Options of {@link GraphBuilder.padChannels}: at least one of them above 0. */
export interface PadChannelsOptions extends NameOption {
  /** Zero channels in front. Default 0. */
  readonly before?: number;
  /** Zero channels behind. Default 0. */
  readonly after?: number;
}

/** Channels of zeros beside a map's own: a shortcut without parameters to more channels. */
export const padChannels: OpDefinition<'padChannels'> = {
  op: 'padChannels',
  arity: [1, 1],
  inputType: 'float32',
  options: ['before', 'after'],
  attrs(options, node) {
    const before = integerOption(node, 'before', options.before, 0, 0);
    const after = integerOption(node, 'after', options.after, 0, 0);
    if (before + after === 0) throw argumentError(`after of ${node}`, 'a channel to add, before or after', after);
    return { before, after };
  },
  shape: ({ before, after }, inputs) => ({ ...first(inputs), channels: before + first(inputs).channels + after }),
};
