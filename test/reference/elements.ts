/** Ops of the reference interpreter on elements and channels that take more than a line. */
import type { OpAttrs, Shape } from 'bitpath';
import type { FeatureMap } from './convolution.js';
import { fmaf } from './fma.js';

/** `fn(a, b)` for each element of `a` and the one of `b` that stands beside it: b may have one channel, one pixel or both. */
export function broadcast(a: FeatureMap, b: FeatureMap, fn: (a: number, b: number) => number): FeatureMap {
  const pixels = a.shape.height * a.shape.width;
  const otherPixels = b.shape.height * b.shape.width;
  const data = a.data.map((value, i) => {
    const channel = b.shape.channels === 1 ? 0 : Math.floor(i / pixels);
    const pixel = otherPixels === 1 ? 0 : i % pixels;
    return fn(value, b.data[channel * otherPixels + pixel] as number);
  });
  return { shape: a.shape, data };
}

/** Coefficients of x², x⁴, … of the numerator and the denominator. */
const P = [2.4999999e-1, 8.378909e-3, 5.5091794e-5, 8.25095e-8, 1.376986e-11].map(Math.fround);
const Q = [1, 1.16848916e-1, 1.6244594e-3, 5.2121545e-6, 3.1539407e-9].map(Math.fround);

/** ½ + x·P(x²) / Q(x²) for x in [−17, 17], each operation rounded; fused multiply-adds from the highest power on. */
export function sigmoid(x: number): number {
  const clamped = x < -17 ? -17 : x > 17 ? 17 : x;
  const square = Math.fround(clamped * clamped);
  const [p, q] = [P, Q].map((c) => c.reduceRight((sum, coefficient) => fmaf(sum, square, coefficient)));
  const y = Math.fround(Math.fround(Math.fround((p as number) * clamped) / (q as number)) + 0.5);
  return y < 0 ? 0 : y > 1 ? 1 : y;
}

/** Sixteen sums of every sixteenth channel, then their sum by halves; divided by the number of channels. */
export function channelMean({ shape, data }: FeatureMap): Float32Array {
  const pixels = shape.height * shape.width;
  return Float32Array.from({ length: pixels }, (_, pixel) => {
    const sums = new Float32Array(16);
    for (let c = 0; c < shape.channels; c++) {
      sums[c % 16] = (sums[c % 16] as number) + (data[c * pixels + pixel] as number);
    }
    for (let half = 8; half >= 1; half /= 2) {
      for (let l = 0; l < half; l++) sums[l] = (sums[l] as number) + (sums[l + half] as number);
    }
    return (sums[0] as number) / shape.channels;
  });
}

export function rank1Scale(
  { shape, data }: FeatureMap,
  alpha: Float32Array,
  beta: Float32Array,
  gamma: Float32Array,
): FeatureMap {
  const scaled = data.map((value, i) => {
    const x = i % shape.width;
    const y = Math.floor(i / shape.width) % shape.height;
    const c = Math.floor(i / (shape.width * shape.height));
    const place = Math.fround((beta[y] as number) * (gamma[x] as number));
    return fmaf(value, alpha[c] as number, 0) * place; // a product of 0 is +0
  });
  return { shape, data: scaled };
}

export function padChannels(x: FeatureMap, before: number, output: Shape): FeatureMap {
  const data = new Float32Array(output.channels * output.height * output.width);
  data.set(x.data, before * output.height * output.width);
  return { shape: output, data };
}

export function channelInteraction(
  { shape, data }: FeatureMap,
  { pairs: count, threshold, step }: OpAttrs['channelInteraction'],
  pairs: Int32Array,
): FeatureMap {
  const result = data.slice();
  const pixels = shape.height * shape.width;
  for (let pixel = 0; pixel < pixels; pixel++) {
    for (let i = 0; i < count; i++) {
      const [source, target, sign] = pairs.subarray(3 * i, 3 * i + 3) as unknown as [number, number, number];
      const value = result[source * pixels + pixel] as number;
      const above = Number(value >= threshold);
      const below = Number(value <= -threshold);
      if (above + below === 0) continue;
      const change = step * (sign > 0 ? above - below : -(above + below));
      result[target * pixels + pixel] = (result[target * pixels + pixel] as number) + change;
    }
  }
  return { shape, data: result };
}
