/** The two convolutions of the reference interpreter, output pixel by output pixel. */
import type { ConvAttrs, OpAttrs, Shape } from 'bitpath';
import { fmaf } from './fma.js';

/** A feature map, channels first: element (c, y, x) is `data[(c·height + y)·width + x]`. Bits are −1 and +1. */
export interface FeatureMap {
  readonly shape: Shape;
  readonly data: Float32Array;
}

/**
 * The window of one output pixel in one group, in (kh, kw, channel) order: `value[i]` is the input under tap `tap[i]`, where
 * taps are numbered through the whole kernel. Taps outside the map are left out.
 */
class Window {
  readonly value: Float32Array;
  readonly tap: Int32Array;
  count = 0;

  constructor(taps: number) {
    this.value = new Float32Array(taps);
    this.tap = new Int32Array(taps);
  }

  gather(
    { shape, data }: FeatureMap,
    attrs: ConvAttrs,
    y: number,
    x: number,
    firstChannel: number,
    channels: number,
  ): void {
    const { kernel, stride, padding, dilation } = attrs;
    this.count = 0;
    for (let kh = 0; kh < kernel[0]; kh++) {
      const row = y * stride[0] - padding[0] + kh * dilation[0];
      if (row < 0 || row >= shape.height) continue;
      for (let kw = 0; kw < kernel[1]; kw++) {
        const column = x * stride[1] - padding[1] + kw * dilation[1];
        if (column < 0 || column >= shape.width) continue;
        for (let c = 0; c < channels; c++) {
          this.value[this.count] = data[((firstChannel + c) * shape.height + row) * shape.width + column] as number;
          this.tap[this.count] = (kh * kernel[1] + kw) * channels + c;
          this.count += 1;
        }
      }
    }
  }
}

/** Calls `dot(window, o)` for every output element, and makes a map of the results. */
function slide(
  input: FeatureMap,
  attrs: ConvAttrs,
  output: Shape,
  prepare: (window: Window) => void,
  dot: (o: number) => number,
): FeatureMap {
  const { groups, kernel } = attrs;
  const inPerGroup = input.shape.channels / groups;
  const outPerGroup = output.channels / groups;
  const pixels = output.height * output.width;
  const data = new Float32Array(output.channels * pixels);
  const window = new Window(kernel[0] * kernel[1] * inPerGroup);
  for (let pixel = 0; pixel < pixels; pixel++) {
    for (let group = 0; group < groups; group++) {
      window.gather(
        input,
        attrs,
        Math.floor(pixel / output.width),
        pixel % output.width,
        group * inPerGroup,
        inPerGroup,
      );
      prepare(window);
      for (let o = group * outPerGroup; o < (group + 1) * outPerGroup; o++) data[o * pixels + pixel] = dot(o);
    }
  }
  return { shape: output, data };
}

/** Real-valued: one fused multiply-add a tap from +0, in (kh, kw, channel) order. `weight` is [O, I / groups, kh, kw]. */
export function convolve(input: FeatureMap, attrs: ConvAttrs, weight: Float32Array, output: Shape): FeatureMap {
  const area = attrs.kernel[0] * attrs.kernel[1];
  const channels = input.shape.channels / attrs.groups;
  const taps = area * channels;
  const ordered = new Float32Array(weight.length); // [O, kh, kw, I / groups]
  for (let o = 0; o < output.channels; o++) {
    for (let c = 0; c < channels; c++) {
      for (let k = 0; k < area; k++) ordered[o * taps + k * channels + c] = weight[o * taps + c * area + k] as number;
    }
  }

  let window: Window;
  return slide(
    input,
    attrs,
    output,
    (next) => {
      window = next;
    },
    (o) => {
      const { value, tap, count } = window;
      const row = o * taps;
      let sum = 0;
      for (let i = 0; i < count; i++) sum = fmaf(value[i] as number, ordered[row + (tap[i] as number)] as number, sum);
      return sum;
    },
  );
}

/**
 * Of −1, 0 or +1 by ±1, the integer dot product. A window becomes two rows of 32-bit words: the sign bits, and a mask of the taps
 * that count: those that are not 0. dot = (number of taps that count) − 2 · (number of those whose signs differ). `bits` is [O, ⌈K / 8⌉].
 */
export function binaryConvolve(
  input: FeatureMap,
  attrs: OpAttrs['binaryConv'],
  bits: Uint8Array,
  output: Shape,
): FeatureMap {
  const taps = attrs.kernel[0] * attrs.kernel[1] * (input.shape.channels / attrs.groups);
  const rowBytes = Math.ceil(taps / 8);
  const rowWords = Math.ceil(taps / 32);
  const weights = new Uint32Array(output.channels * rowWords);
  for (let o = 0; o < output.channels; o++) {
    for (let b = 0; b < rowBytes; b++) {
      const word = o * rowWords + (b >> 2);
      weights[word] = (weights[word] as number) | ((bits[o * rowBytes + b] as number) << (8 * (b & 3)));
    }
  }

  const signs = new Uint32Array(rowWords);
  const mask = new Uint32Array(rowWords);
  let counted = 0;
  return slide(
    input,
    attrs,
    output,
    ({ value, tap, count }) => {
      // A tap on padding is in no window: it is masked out, or has the sign of padValue.
      signs.fill(0);
      mask.fill(0);
      if (attrs.padValue !== 0) for (let k = 0; k < taps; k++) setBit(mask, k, 1);
      if (attrs.padValue === 1) signs.set(mask);
      for (let i = 0; i < count; i++) {
        setBit(mask, tap[i] as number, value[i] === 0 ? 0 : 1);
        setBit(signs, tap[i] as number, value[i] === 1 ? 1 : 0);
      }
      counted = mask.reduce((sum, word) => sum + popcount(word), 0);
    },
    (o) => {
      let differing = 0;
      for (let w = 0; w < rowWords; w++) {
        differing += popcount(((signs[w] as number) ^ (weights[o * rowWords + w] as number)) & (mask[w] as number));
      }
      return counted - 2 * differing;
    },
  );
}

/** Real-valued by ±1, as {@link convolve} of weights −1 and +1. */
export function binaryWeightConvolve(input: FeatureMap, attrs: ConvAttrs, bits: Uint8Array, output: Shape): FeatureMap {
  const area = attrs.kernel[0] * attrs.kernel[1];
  const channels = input.shape.channels / attrs.groups;
  const rowBytes = Math.ceil((area * channels) / 8);
  const weight = new Float32Array(output.channels * channels * area);
  for (let i = 0; i < weight.length; i++) {
    const k = i % area;
    const c = Math.floor(i / area) % channels;
    const bit = k * channels + c;
    const byte = bits[Math.floor(i / (area * channels)) * rowBytes + (bit >> 3)] as number;
    weight[i] = (byte >> (bit & 7)) & 1 ? 1 : -1;
  }
  return convolve(input, attrs, weight, output);
}

function setBit(words: Uint32Array, index: number, bit: 0 | 1): void {
  const word = index >> 5;
  const cleared = (words[word] as number) & ~(1 << (index & 31));
  words[word] = cleared | (bit << (index & 31));
}

/** Bits set in a 32-bit word: pairs, nibbles and bytes are summed in place, then the four bytes by one multiplication. */
function popcount(word: number): number {
  let n = word - ((word >>> 1) & 0x55555555);
  n = (n & 0x33333333) + ((n >>> 2) & 0x33333333);
  return Math.imul((n + (n >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
