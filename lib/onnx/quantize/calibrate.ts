/** The ranges of a network's activations over sample inputs, as onnxruntime computes them in float32. */
import { onnxError } from '../error.js';
import { OnnxSession } from '../diff/onnxruntime.js';
import type { ModelProto } from '../proto/onnx_pb.js';
import { graphOf } from './graph.js';
import type { Range } from './numbers.js';

export interface Calibration {
  /** Whole images, [images, ...dims]. */
  readonly data: Float32Array;
  /** Of one image: channels, height, width. */
  readonly dims: readonly number[];
}

/**
 * Smallest and largest value of each of `tensors` over all images, which run one at a time: the activations of one are
 * larger than the network.
 */
export async function calibrate(
  model: ModelProto,
  tensors: readonly string[],
  { data, dims }: Calibration,
  { file, threads }: { readonly file: string; readonly threads: number },
): Promise<Map<string, Range>> {
  const input = graphOf(model, file).input[0]?.name ?? '';
  const size = dims.reduce((product, dim) => product * dim, 1);
  const ranges = new Map<string, Range>();
  const widen = (name: string, values: Float32Array) => {
    let { min, max } = ranges.get(name) ?? { min: Infinity, max: -Infinity };
    for (const value of values) {
      if (value < min) min = value;
      if (value > max) max = value;
    }
    ranges.set(name, { min, max });
  };
  const inner = tensors.filter((name) => name !== input);
  const session = await OnnxSession.create(model, inner, { file, threads, optimize: true });
  try {
    for (let start = 0; start + size <= data.length; start += size) {
      const image = data.subarray(start, start + size);
      if (inner.length < tensors.length) widen(input, image);
      for (const [name, values] of await session.run(input, image, [1, ...dims], inner, file)) widen(name, values.data);
    }
  } finally {
    await session.release();
  }
  for (const name of tensors) {
    const range = ranges.get(name);
    // Comparisons drop NaN, so a range that holds one may look sound; ±∞ does not.
    if (range === undefined || !Number.isFinite(range.min) || !Number.isFinite(range.max)) {
      throw onnxError(file, `${name} has no finite range over the calibration inputs`, { tensor: name });
    }
  }
  return ranges;
}
