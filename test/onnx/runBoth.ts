/** One input through onnxruntime and through bitpath. */
import type { Model } from 'bitpath';
import { InferenceSession, Tensor } from 'onnxruntime-node';

export interface Difference {
  /** Largest difference over the largest value, of the worst output. */
  readonly worst: number;
  readonly elements: number;
}

/** `data` are whole images of `shape`, channels first. `after` is done to our output before it is compared. */
export async function runBoth(
  onnx: Uint8Array,
  model: Model,
  data: Float32Array,
  shape: readonly [number, number, number],
  {
    channelsLast = false,
    after = (logits) => logits,
  }: { channelsLast?: boolean; after?: (logits: Float32Array, classes: number) => Float32Array } = {},
): Promise<Difference> {
  const [channels, height, width] = shape;
  const images = data.length / (channels * height * width);
  const session = await InferenceSession.create(onnx, { intraOpNumThreads: 1, interOpNumThreads: 1 });
  const name = session.inputNames[0] as string;
  const tensor = channelsLast
    ? new Tensor('float32', lastChannels(data, channels, height * width), [images, height, width, channels])
    : new Tensor('float32', data, [images, channels, height, width]);
  const expected = await session.run({ [name]: tensor });
  using executor = await model.compile({ threads: 1 });
  const actual = executor.runSync(data);
  let worst = 0;
  let elements = 0;
  for (const [i, output] of session.outputNames.entries()) {
    const theirs = expected[output]?.data as Float32Array;
    const found = actual[model.graph.outputs[i]?.name ?? ''];
    if (found === undefined || found.data.length !== theirs.length) throw new Error(`${output} has another length`);
    const ours = after(found.data as Float32Array, theirs.length / images);
    const largest = theirs.reduce((max, value) => Math.max(max, Math.abs(value)), 1e-30);
    for (const [k, value] of theirs.entries()) {
      const difference = Math.abs(value - (ours[k] as number)) / largest;
      if (!(difference <= worst)) worst = difference;
      elements++;
    }
  }
  await session.release();
  return { worst, elements };
}

/** Images of C×H×W as images of H×W×C. */
function lastChannels(data: Float32Array, channels: number, pixels: number): Float32Array {
  return data.map((_, i) => {
    const c = i % channels;
    const pixel = Math.floor(i / channels) % pixels;
    const image = Math.floor(i / channels / pixels);
    return data[(image * channels + c) * pixels + pixel] as number;
  });
}
