/** The input of a request → pictures for an executor. One input, three ways to give it. */
import { argumentError } from '../../check.js';
import { BitpathError } from '../../errors.js';
import type { Shape } from '../../graph/types.js';
import type { RgbImage } from '../../images/decode.js';
import { preprocess } from '../../images/preprocess.js';
import type { Preprocessing } from '../../images/preprocessing.js';
import type { InferRequest, InferTensor, TensorMetadata } from '../../protocol/index.js';
import type { Decoder } from './decoding.js';
import { together } from './together.js';

/** The one input's name. Its datatype says which way in is meant. */
export const INPUT = 'input';

/** Pictures as an executor reads them: float32 NCHW or uint8 NHWC. */
export interface Pictures {
  readonly kind: 'FP32' | 'UINT8';
  readonly data: Float32Array | Uint8Array;
  readonly count: number;
}

/** What a network takes: floats always, pictures where it has preprocessing. */
export interface Ways {
  readonly shape: Shape;
  readonly preprocessing: Preprocessing | null;
  readonly maxBatchSize: number;
}

/** The input as metadata declare it: a tensor, which every client can fill by its datatype and shape. */
export function inputMetadata({ shape: { channels, height, width } }: Ways): TensorMetadata {
  return { name: INPUT, datatype: 'FP32', shape: [-1, channels, height, width] };
}

/** The other datatypes that the same input takes, in words, for the metadata's properties. */
export function alternatives({ shape: { height, width }, preprocessing }: Ways): Record<string, string> {
  if (preprocessing === null) return {};
  return {
    'input.UINT8': `[-1,${height},${width},3] pixels of pictures, red green blue, 0 to 255, resized and cropped`,
    'input.BYTES': '[-1] whole picture files: JPEG, PNG, WebP, AVIF, GIF or TIFF',
  };
}

/** The one input of `request`; throws `ERR_BITPATH_ARGUMENT`. */
export function onlyInput({ inputs }: InferRequest): InferTensor {
  const [input] = inputs;
  if (inputs.length !== 1 || input === undefined)
    throw argumentError(
      'inputs',
      `the one input ${INPUT}`,
      inputs.map(({ name }) => name),
    );
  if (input.name !== INPUT) throw argumentError('inputs[0].name', `"${INPUT}"`, input.name);
  return input;
}

/**
 * The pictures in `input`. Tensors stay the views that they are; files are decoded.
 *
 * @throws `ERR_BITPATH_ARGUMENT` for a datatype or shape that the network does not take, `ERR_BITPATH_IMAGE` for a file that cannot
 *   be decoded, `ERR_BITPATH_QUEUE_FULL` where too many wait for that.
 */
export async function readPictures(
  input: InferTensor,
  ways: Ways,
  decoder: Decoder,
  signal?: AbortSignal,
): Promise<Pictures> {
  const {
    shape: { channels, height, width },
    preprocessing,
  } = ways;
  const { datatype, data } = input;
  if (datatype === 'FP32') {
    return { kind: 'FP32', data, count: batchSize(input, [channels, height, width], ways.maxBatchSize) };
  }
  if (preprocessing !== null && datatype === 'UINT8') {
    return { kind: 'UINT8', data, count: batchSize(input, [height, width, channels], ways.maxBatchSize) };
  }
  if (preprocessing !== null && datatype === 'BYTES') {
    fileCount(input, ways.maxBatchSize);
    return decodePictures(data, preprocessing, decoder, signal);
  }
  const known = preprocessing === null ? 'FP32, as the network takes no pictures' : 'FP32, UINT8 or BYTES';
  throw argumentError('inputs[0].datatype', known, datatype);
}

/** Picture files → what the network sees of them. */
export async function decodePictures(
  files: readonly Uint8Array[],
  preprocessing: Preprocessing,
  decoder: Decoder,
  signal?: AbortSignal,
): Promise<Pictures> {
  const name = (i: number) => (files.length === 1 ? 'the picture' : `picture ${i}`);
  const prepared = await together(
    signal,
    files.map((file, i) => (signal) => {
      return decoder.decode(name(i), file, (image) => prepare(name(i), image, preprocessing), signal);
    }),
  );
  const [first] = prepared;
  if (first !== undefined && prepared.length === 1) return { kind: 'UINT8', data: first, count: 1 };
  return { kind: 'UINT8', data: Buffer.concat(prepared), count: files.length };
}

async function prepare(name: string, image: RgbImage, preprocessing: Preprocessing): Promise<Uint8Array> {
  try {
    return (await preprocess(image, preprocessing)).data;
  } catch (cause) {
    // The file was read; what is left is a shape that no resizing makes sense of.
    if (!(cause instanceof BitpathError) || cause.code !== 'ERR_BITPATH_ARGUMENT') throw cause;
    throw new BitpathError('ERR_BITPATH_IMAGE', { image: name, reason: cause.message }, { cause });
  }
}

/** Pictures in a tensor of shape [N, …image], or of one picture without N. */
function batchSize({ shape }: InferTensor, image: readonly number[], max: number): number {
  const batched = shape.length === image.length ? [1, ...shape] : shape;
  const [count = 0, ...rest] = batched;
  if (rest.join() === image.join() && count >= 1 && count <= max) return count;
  throw wrongShape(`[N, ${image.join(', ')}] with N from 1 to ${max}`, shape);
}

/** Files in a tensor of shape [N], or [N, 1] as servers with a batch dimension have it. */
function fileCount({ shape }: InferTensor, max: number): number {
  const [count = 0, one = 1] = shape;
  if (shape.length >= 1 && shape.length <= 2 && one === 1 && count >= 1 && count <= max) return count;
  throw wrongShape(`[N] with N from 1 to ${max}`, shape);
}

function wrongShape(expected: string, shape: readonly number[]): BitpathError {
  const details = { argument: 'inputs[0].shape', expected, received: `[${shape.join(', ')}]` };
  return new BitpathError('ERR_BITPATH_ARGUMENT', details);
}
