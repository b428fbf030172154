import { argumentError } from '../../check.js';
import { type NameOption, type OpDefinition, sameShape } from './op.js';

/** Options of {@link GraphBuilder.scale}. */
export interface ScaleOptions extends NameOption {
  /** Rounded to float32; finite after that. */
  readonly factor: number;
}

/** Multiplication by one number. */
export const scale: OpDefinition<'scale'> = {
  op: 'scale',
  arity: [1, 1],
  inputType: 'float32',
  options: ['factor'],
  attrs({ factor }, node) {
    if (typeof factor !== 'number' || !Number.isFinite(Math.fround(factor))) {
      throw argumentError(`factor of ${node}`, 'a finite float32 number', factor);
    }
    return { factor: Math.fround(factor) + 0 }; // −0 becomes 0, as JSON has no −0
  },
  shape: sameShape,
};
