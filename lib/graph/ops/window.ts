/** The sliding window that convolutions and pools share: its options and its shape rule. */
import { argumentError, checkInteger } from '../../check.js';
import { MAX_ELEMENTS } from '../../tensor.js';
import type { ConvAttrs, Padding, Pair, Shape, WindowAttrs } from '../types.js';
import { checkSize, formatShape, integerOption, type NameOption, type ParamShape, shapeError } from './op.js';

/** One integer for both axes, or `[height, width]`. */
export type PairOption = number | Pair;
/** One integer for all sides, `[height, width]` for both sides of each axis, or `[top, left, bottom, right]`. */
export type PaddingOption = number | Pair | Padding;

/** What slides a window. */
export interface WindowOptions extends NameOption {
  /** Size of the window in pixels, at least 1. */
  readonly kernel: PairOption;
  /** Step from one window to the next, at least 1. Default: 1 for convolutions, the kernel for pools. */
  readonly stride?: PairOption;
  /** Rows and columns beyond the map. Default 0. */
  readonly padding?: PaddingOption;
}
/** Options of all convolutions. */
export interface ConvOptions extends WindowOptions {
  /** Filters, O. */
  readonly outChannels: number;
  /** Distance between neighbouring taps, at least 1. Default 1. */
  readonly dilation?: PairOption;
  /** Divides input and output channels into so many parts, each with filters of its own. Default 1. */
  readonly groups?: number;
}
export const WINDOW_OPTIONS = ['kernel', 'stride', 'padding'] as const;
export const CONV_OPTIONS = ['outChannels', ...WINDOW_OPTIONS, 'dilation', 'groups'] as const;

type Options = Readonly<Record<string, unknown>>;

function pair(node: string, option: string, value: unknown, fallback?: Pair): Pair {
  if (value === undefined && fallback !== undefined) return fallback;
  const argument = `${option} of ${node}`;
  if (!Array.isArray(value)) {
    const size = checkInteger(argument, value, 1, MAX_ELEMENTS);
    return [size, size];
  }
  if (value.length !== 2) throw argumentError(argument, 'an integer or a pair [height, width]', value);
  return [
    checkInteger(`${option}[0] of ${node}`, value[0], 1, MAX_ELEMENTS),
    checkInteger(`${option}[1] of ${node}`, value[1], 1, MAX_ELEMENTS),
  ];
}

function padding(node: string, value: unknown): Padding {
  const argument = `padding of ${node}`;
  if (!Array.isArray(value)) {
    const size = value === undefined ? 0 : checkInteger(argument, value, 0, MAX_ELEMENTS);
    return [size, size, size, size];
  }
  const sizes: number[] = Array.from(value, (size, i) =>
    checkInteger(`padding[${i}] of ${node}`, size, 0, MAX_ELEMENTS),
  );
  const [top = 0, left = 0, bottom = top, right = left] = sizes;
  if (sizes.length !== 2 && sizes.length !== 4) {
    throw argumentError(argument, 'an integer, [height, width] or [top, left, bottom, right]', value);
  }
  return [top, left, bottom, right];
}

/** Attributes of a pool: the stride defaults to the kernel. */
export function poolAttrs(options: Options, node: string): WindowAttrs {
  const kernel = pair(node, 'kernel', options.kernel);
  const attrs = {
    kernel,
    stride: pair(node, 'stride', options.stride, kernel),
    padding: padding(node, options.padding),
  };
  const [top, left, bottom, right] = attrs.padding;
  if (Math.max(top, bottom) >= kernel[0] || Math.max(left, right) >= kernel[1]) {
    // Otherwise a window could lie on padding alone, and would have no maximum and no mean.
    throw argumentError(`padding of ${node}`, `padding smaller than the kernel [${kernel.join(', ')}]`, attrs.padding);
  }
  return attrs;
}

/** Attributes of a convolution, with PyTorch's defaults. */
export function convAttrs(options: Options, node: string): ConvAttrs {
  return {
    outChannels: integerOption(node, 'outChannels', options.outChannels, 1),
    kernel: pair(node, 'kernel', options.kernel),
    stride: pair(node, 'stride', options.stride, [1, 1]),
    padding: padding(node, options.padding),
    dilation: pair(node, 'dilation', options.dilation, [1, 1]),
    groups: integerOption(node, 'groups', options.groups, 1, 1),
  };
}

/** Height and width after a window has slid over `input`: ⌊(size + padding − dilation·(kernel − 1) − 1) / stride⌋ + 1. */
export function windowShape(
  { kernel, stride, padding: [top, left, bottom, right] }: WindowAttrs,
  dilation: Pair,
  input: Shape,
  node: string,
): { height: number; width: number } {
  const padded = { channels: input.channels, height: input.height + top + bottom, width: input.width + left + right };
  checkSize(node, 'a padded input', [padded.channels, padded.height, padded.width]);
  const reach = [dilation[0] * (kernel[0] - 1) + 1, dilation[1] * (kernel[1] - 1) + 1] as const;
  if (reach[0] > padded.height || reach[1] > padded.width) {
    throw shapeError(
      node,
      `expected an input that the ${reach[0]}×${reach[1]} window fits into but received ${formatShape(input)}, ` +
        `${padded.height}×${padded.width} with padding`,
    );
  }
  return {
    height: Math.floor((padded.height - reach[0]) / stride[0]) + 1,
    width: Math.floor((padded.width - reach[1]) / stride[1]) + 1,
  };
}

/** The shape rule of convolutions. */
export function convShape(attrs: ConvAttrs, input: Shape, node: string): Shape {
  const { outChannels, groups, kernel } = attrs;
  for (const [what, channels] of [
    ['input', input.channels],
    ['output', outChannels],
  ] as const) {
    if (channels % groups !== 0) {
      throw shapeError(
        node,
        `expected ${what} channels that are a multiple of groups = ${groups} but received ${channels}`,
      );
    }
  }
  checkSize(node, 'weights', [outChannels, ...kernel, input.channels / groups]);
  return { channels: outChannels, ...windowShape(attrs, attrs.dilation, input, node) };
}

/** Kernels point at the runs of a window with 32-bit numbers. */
const MAX_REAL_TAPS = 2 ** 24;

/** {@link convShape} of real-valued maps. */
export function realConvShape(attrs: ConvAttrs, input: Shape, node: string): Shape {
  const output = convShape(attrs, input, node);
  const taps = tapCount(attrs, input);
  if (taps > MAX_REAL_TAPS) {
    throw shapeError(node, `expected at most 2²⁴ taps (kernel × channels / groups) but received ${taps}`);
  }
  return output;
}

/** Multiply-accumulates of a convolution. */
export function convMacs({ kernel, groups }: ConvAttrs, input: Shape, output: Shape): number {
  return kernel[0] * kernel[1] * (input.channels / groups) * output.channels * output.height * output.width;
}

/** Taps of one output: kh · kw · I / groups. */
export function tapCount({ kernel, groups }: ConvAttrs, input: Shape): number {
  return kernel[0] * kernel[1] * (input.channels / groups);
}

export function perChannel(channels: number): ParamShape {
  return { type: 'float32', shape: [channels] };
}
