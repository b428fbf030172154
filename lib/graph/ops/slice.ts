import { first, integerOption, type NameOption, type OpDefinition, shapeError } from './op.js';

/** Options of {@link GraphBuilder.slice}. */
export interface SliceOptions extends NameOption {
  /** First channel. Default 0. */
  readonly from?: number;
  /** How many channels. */
  readonly channels: number;
}

/** Some of a map's channels, which lie side by side. */
export const slice: OpDefinition<'slice'> = {
  op: 'slice',
  arity: [1, 1],
  inputType: 'float32',
  options: ['from', 'channels'],
  attrs: (options, node) => ({
    from: integerOption(node, 'from', options.from, 0, 0),
    channels: integerOption(node, 'channels', options.channels, 1),
  }),
  shape({ from, channels }, inputs, node) {
    const input = first(inputs);
    if (from + channels > input.channels) {
      throw shapeError(node, `expected channels ${from} to ${from + channels - 1} but the map has ${input.channels}`);
    }
    return { ...input, channels };
  },
};
