import { argumentError } from '../../check.js';
import { integerOption, type NameOption, type OpDefinition, sameShape } from './op.js';

/** Options of {@link GraphBuilder.channelInteraction}. */
export interface ChannelInteractionOptions extends NameOption {
  /** How many pairs of channels interact, 1 … 2²². */
  readonly pairs: number;
  /** A number > 0, rounded to float32. Default 200. */
  readonly threshold?: number;
  /** Rounded to float32. Default 100. */
  readonly step?: number;
}

const MOST_PAIRS = 2 ** 22;

/** CI-BCNN's interaction of channels on the integers that a 1-bit convolution makes: see {@link OpAttrs.channelInteraction}. */
export const channelInteraction: OpDefinition<'channelInteraction'> = {
  op: 'channelInteraction',
  arity: [1, 1],
  inputType: 'float32',
  options: ['pairs', 'threshold', 'step'],
  attrs({ pairs, threshold = 200, step = 100 }, node) {
    const count = integerOption(node, 'pairs', pairs, 1);
    if (count > MOST_PAIRS) throw argumentError(`pairs of ${node}`, `at most ${MOST_PAIRS}`, count);
    return { pairs: count, threshold: finite(node, 'threshold', threshold, 0), step: finite(node, 'step', step) };
  },
  shape: sameShape,
  params: ({ pairs }) => ({ pairs: { type: 'int32', shape: [pairs, 3] } }),
};

function finite(node: string, option: string, value: unknown, above = -Infinity): number {
  if (typeof value !== 'number' || !Number.isFinite(Math.fround(value)) || Math.fround(value) <= above) {
    const expected = `a finite float32 number${above === 0 ? ' greater than 0' : ''}`;
    throw argumentError(`${option} of ${node}`, expected, value);
  }
  return Math.fround(value) + 0;
}
