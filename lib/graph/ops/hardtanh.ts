import { argumentError } from '../../check.js';
import { type NameOption, type OpDefinition, sameShape } from './op.js';

/** Options of {@link GraphBuilder.hardtanh}. */
export interface HardtanhOptions extends NameOption {
  /** Rounded to float32; finite after that. Default −1. */
  readonly min?: number;
  /** Rounded to float32; finite after that, and more than `min`. Default 1. */
  readonly max?: number;
}

/** Both bounds of a clamp. */
export const hardtanh: OpDefinition<'hardtanh'> = {
  op: 'hardtanh',
  arity: [1, 1],
  inputType: 'float32',
  options: ['min', 'max'],
  attrs({ min = -1, max = 1 }, node) {
    for (const [name, value] of Object.entries({ min, max })) {
      if (typeof value !== 'number' || !Number.isFinite(Math.fround(value))) {
        throw argumentError(`${name} of ${node}`, 'a finite float32 number', value);
      }
    }
    const bounds = { min: Math.fround(min as number) + 0, max: Math.fround(max as number) + 0 }; // JSON has no −0
    if (bounds.min >= bounds.max) throw argumentError(`max of ${node}`, `a number above min, ${bounds.min},`, max);
    return bounds;
  },
  shape: sameShape,
};
