/** What `run()` and `runSync()` accept, brought into the two forms that native code reads. */
import { types } from 'node:util';
import { argumentError } from './check.js';
import { BitpathError } from './errors.js';
import type { Shape } from './graph/types.js';
import { checkArray, elementCount, Tensor } from './tensor.js';

/**
 * Images for a network with an input of C × H × W: real values as a float32 Tensor [N, C, H, W] or a Float32Array in that
 * order, or pictures as a uint8 Tensor [N, H, W, C] or a Uint8Array, Uint8ClampedArray or Buffer in that order. A tensor of
 * one image may leave out N; of an array, N follows from its length.
 */
export type RunInput = Tensor | Float32Array | Uint8Array | Uint8ClampedArray;

export interface Images {
  readonly data: Float32Array | Uint8Array;
  readonly count: number;
}

/** Images in several arrays of a type. */
export interface Parts {
  readonly data: readonly (Float32Array | Uint8Array)[];
  readonly count: number;
}

/** Several inputs of one type. Throws `ERR_BITPATH_ARGUMENT` as {@link readImages} does, for each of them. */
export function readAll(inputs: readonly unknown[], shape: Shape, acceptsUint8: boolean): Parts {
  const images = inputs.map((input) => readImages(input, shape, acceptsUint8));
  const [first] = images;
  if (first === undefined) throw argumentError('input', 'at least one input', inputs);
  const isFloat = types.isFloat32Array(first.data);
  if (images.some(({ data }) => types.isFloat32Array(data) !== isFloat)) throw received('inputs of one type', 'both');
  return { data: images.map(({ data }) => data), count: images.reduce((sum, { count }) => sum + count, 0) };
}

/** Throws `ERR_BITPATH_ARGUMENT` for anything but at least one whole image in memory that is still there. */
export function readImages(input: unknown, { channels, height, width }: Shape, acceptsUint8: boolean): Images {
  const isTensor = input instanceof Tensor;
  const array: unknown = isTensor ? input.data : input;
  const isFloat = types.isFloat32Array(array);
  if (!isFloat && !types.isUint8Array(array) && !types.isUint8ClampedArray(array)) {
    throw isTensor
      ? argumentError('input', 'a Tensor of float32 or uint8', input.dtype)
      : argumentError('input', 'a Tensor, Float32Array, Uint8Array, Uint8ClampedArray or Buffer', input);
  }
  if (!isFloat && !acceptsUint8) {
    throw received(
      'float32 values (the network was compiled without the normalization that uint8 pictures need)',
      'uint8',
    );
  }
  const image = isFloat ? [channels, height, width] : [height, width, channels];
  const length = elementCount(image);
  if (isTensor) {
    const { shape } = input;
    const fits =
      (shape.length === 3 || shape.length === 4) &&
      shape.slice(-3).join() === image.join() &&
      shape[shape.length - 4] !== 0;
    if (!fits) {
      const layout = isFloat ? '[N, C, H, W]' : '[N, H, W, C]';
      throw received(`a ${input.dtype} tensor [N, ${image.join(', ')}] (${layout}, N ≥ 1)`, `[${shape.join(', ')}]`);
    }
    checkArray('input', array, input.dtype, elementCount(shape)); // its buffer may have been detached since it was made
  } else if (array.length === 0 || array.length % length !== 0) {
    if (array.length === 0 && !types.isUint8ClampedArray(array))
      checkArray('input', array, isFloat ? 'float32' : 'uint8', length);
    throw argumentError('input', `a multiple of ${length} elements (${image.join(' × ')})`, array);
  }
  return { data: steady(array), count: array.length / length };
}

/** `array` itself, or a copy of it where its memory could change length or be written by another thread while it is read. */
function steady(array: Float32Array | Uint8Array | Uint8ClampedArray): Float32Array | Uint8Array {
  const { buffer } = array;
  const moves =
    types.isSharedArrayBuffer(buffer) || (buffer as ArrayBuffer & { resizable?: boolean }).resizable === true;
  if (types.isFloat32Array(array)) return moves ? new Float32Array(array) : array;
  return moves ? new Uint8Array(array) : new Uint8Array(buffer, array.byteOffset, array.length);
}

function received(expected: string, text: string): BitpathError {
  return new BitpathError('ERR_BITPATH_ARGUMENT', { argument: 'input', expected, received: text });
}
