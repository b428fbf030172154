/** Random tensors of every datatype. */
import fc from 'fast-check';
import {
  DATATYPES,
  type Datatype,
  elementBytes,
  elementCount,
  type InferTensor,
  type Parameters,
} from '#lib/protocol/index.js';
import { bytesToData } from '#lib/protocol/binary.js';

export const names = fc.stringMatching(/^[A-Za-z_][\w.-]{0,20}$/);

/** JSON has no −0. */
const numbers = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);

export const parameters: fc.Arbitrary<Parameters> = fc.dictionary(
  fc.oneof(fc.stringMatching(/^p_\w{1,8}$/), fc.constant('__proto__'), fc.constant('constructor')),
  fc.oneof(fc.string(), fc.boolean(), fc.maxSafeInteger(), numbers),
  { maxKeys: 4 },
);

const shapes = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 });

/** A tensor of any datatype in `datatypes`, with elements of any bits. */
export function tensors(datatypes: readonly Datatype[] = DATATYPES): fc.Arbitrary<InferTensor> {
  return fc
    .tuple(names, fc.constantFrom(...datatypes), shapes, parameters)
    .chain(([name, datatype, shape, parameters]) => {
      const count = elementCount(shape);
      const data =
        datatype === 'BYTES'
          ? fc.array(fc.uint8Array({ maxLength: 12 }), { minLength: count, maxLength: count })
          : fc
              .uint8Array({
                minLength: count * elementBytes(datatype),
                maxLength: count * elementBytes(datatype),
                max: datatype === 'BOOL' ? 1 : 255,
              })
              .map((bytes) => bytesToData('data', datatype, shape, bytes));
      return data.map((data) => ({ name, datatype, shape, data, parameters }) as InferTensor);
    });
}

/** What two tensors must have in common to be the same: NaNs too are compared by their bits. */
export function comparable({ name, datatype, shape, data, parameters }: InferTensor): unknown {
  const bytes = datatype === 'BYTES' ? data.map((element) => [...element]) : [...rawBytes(data as Uint8Array)];
  return { name, datatype, shape: [...shape], bytes, parameters: { ...parameters } };
}

function rawBytes({ buffer, byteOffset, byteLength }: Uint8Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
