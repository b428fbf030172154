import { first, formatShape, noAttrs, type OpDefinition, shapeError } from './op.js';

/** Channels of several maps one after another, in input order. */
export const concat: OpDefinition<'concat'> = {
  op: 'concat',
  arity: [1, 1024],
  inputType: 'float32',
  options: [],
  attrs: noAttrs,
  shape(_attrs, inputs, node) {
    const { height, width } = first(inputs);
    for (const input of inputs) {
      if (input.height !== height || input.width !== width) {
        throw shapeError(
          node,
          `expected maps of equal height and width but received ${inputs.slice(0, 8).map(formatShape).join(', ')}`,
        );
      }
    }
    return { channels: inputs.reduce((sum, { channels }) => sum + channels, 0), height, width };
  },
};
