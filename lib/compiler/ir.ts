/**
 * What the passes hand to each other.
 *
 * A {@link FoldedGraph} is the graph with its parameters attached and every op reduced to one that native code has. Fusing
 * turns it into a list of {@link Instruction}s over values (float maps) and bit maps. Nothing is changed in place.
 */
import type { ConvAttrs, GraphOutput, Padding, Shape, Value, ValueType, WindowAttrs } from '../graph/types.js';
import type { BitPlace } from './bitPlaces.js';

/** y = fma(x, mul[c], add[c]). */
export interface Affine {
  readonly mul: Float32Array;
  readonly add: Float32Array;
}

/** bit = (x xor flip[c]) ≥ threshold[c]; null is 0 for all channels. `flip` holds 0 or the sign bit. */
export interface SignRule {
  readonly threshold: Float32Array | null;
  readonly flip: Int32Array | null;
}

/** What a bit stands for. `ternary`: half of a plane, so that two bits make −1, 0 or +1. */
export type Activations = Exclude<ValueType, 'float32'>;

/** `bits`: uint8 [O, ⌈kh·kw·I/groups / 8⌉]. `zeroPad`: taps on padding add 0; otherwise they count as `padBit`. */
export interface BinaryConvWork {
  readonly activations: Activations;
  readonly attrs: ConvAttrs;
  readonly bits: Uint8Array;
  readonly zeroPad: boolean;
  readonly padBit: 0 | 1;
}

/** `weight`: [O, kh, kw, I/groups], that is, in the order in which taps are summed. */
export interface ConvWork {
  readonly attrs: ConvAttrs;
  readonly weight: Float32Array;
}

export type PoolAttrs = WindowAttrs & { readonly countIncludePad: boolean };

/** What a node does; `copy` is the identity, made where one value must be stored twice. */
export type Work =
  | { readonly op: 'input' }
  | { readonly op: 'sign'; readonly rule: SignRule }
  | ({ readonly op: 'binaryConv' } & BinaryConvWork)
  | ({ readonly op: 'conv' } & ConvWork)
  | { readonly op: 'maxPool'; readonly attrs: WindowAttrs }
  | { readonly op: 'avgPool'; readonly attrs: PoolAttrs }
  | { readonly op: 'concat' }
  /** Bits of its inputs in one pixel, each at its place. */
  | { readonly op: 'concatBits'; readonly places: readonly BitPlace[] }
  | { readonly op: 'copy' }
  /** A view: channels from `from` on of its input's map. */
  | { readonly op: 'slice'; readonly from: number }
  | { readonly op: 'fill'; readonly value: number }
  | { readonly op: 'channelMean' }
  | ({ readonly op: 'channelInteraction' } & InteractionWork)
  | ElementWise;

/** See `CHANNEL_INTERACTION` in native/program/layout.h. */
export interface InteractionWork {
  readonly pairs: Int32Array;
  readonly threshold: number;
  readonly step: number;
}

/** Work on one element (and, for `add` and `mul`, the one beside it in another map): what a step of an instruction can do. */
export type ElementWise =
  | ({ readonly op: 'affine' } & Affine)
  | { readonly op: 'add' }
  | { readonly op: 'mul' }
  /** One factor for each pixel of the map. */
  | { readonly op: 'mulPixels'; readonly factors: Float32Array }
  | { readonly op: 'sigmoid' }
  | { readonly op: 'scale'; readonly factor: number }
  | { readonly op: 'relu' }
  | { readonly op: 'hardtanh'; readonly min: number; readonly max: number }
  | { readonly op: 'prelu'; readonly slope: Float32Array };

export interface FoldedNode {
  /** Names of the graph nodes that this one stands for. */
  readonly names: readonly string[];
  readonly inputs: readonly number[];
  readonly output: number;
  readonly work: Work;
}

export interface FoldedGraph {
  /** In order of execution. */
  readonly nodes: readonly FoldedNode[];
  readonly values: readonly Value[];
  readonly outputs: readonly GraphOutput[];
}

/** Where a float value lives: the channels of the map of value `base` from `offset` on. A value is its own base unless a concat is. */
export interface Home {
  readonly base: number;
  readonly offset: number;
}

/** A padded map of sign bits, shared by all binary convs that read the same bits with the same padding. */
export interface BitMap {
  readonly shape: Shape;
  readonly padding: Padding;
  readonly padBit: 0 | 1;
}

export type Step =
  | ({ readonly op: 'affine' } & Affine)
  | { readonly op: 'add'; readonly value: number }
  | { readonly op: 'mul'; readonly value: number }
  | { readonly op: 'mulPixels'; readonly factors: Float32Array }
  | { readonly op: 'sigmoid' }
  | { readonly op: 'scale'; readonly factor: number }
  | { readonly op: 'relu' }
  | { readonly op: 'hardtanh'; readonly min: number; readonly max: number }
  | { readonly op: 'prelu'; readonly slope: Float32Array }
  | { readonly op: 'store'; readonly value: number }
  /** `value`: the maximum over windows of 2×2 of what is stored. */
  | { readonly op: 'storeMaxPooled'; readonly value: number }
  /** `bitMap` indexes {@link FusedGraph.bitMaps}; `clears`: this is the first to write there. */
  | {
      readonly op: 'sign';
      readonly bitMap: number;
      readonly rule: SignRule;
      readonly place: BitPlace;
      readonly clears: boolean;
    };

/** The first work of an instruction, which makes one value per output element. */
export type Maker =
  | { readonly op: 'input' }
  | ({ readonly op: 'binaryConv'; readonly bitMap: number } & BinaryConvWork)
  | ({ readonly op: 'conv'; readonly source: number } & ConvWork)
  | ({ readonly op: 'pixelConv' } & PixelConvWork)
  | { readonly op: 'maxPool'; readonly source: number; readonly attrs: WindowAttrs }
  | { readonly op: 'avgPool'; readonly source: number; readonly attrs: PoolAttrs }
  | { readonly op: 'map'; readonly source: number }
  | { readonly op: 'fill'; readonly value: number }
  | { readonly op: 'channelMean'; readonly source: number }
  | ({ readonly op: 'channelInteraction'; readonly source: number } & InteractionWork)
  | ({ readonly op: 'maxPooled' } & MaxPooledWork);

/** A convolution and its steps, pooled row by row: the map between the two never lies in the arena. */
export interface MaxPooledWork {
  readonly inner: Extract<Maker, { op: 'conv' | 'pixelConv' }>;
  readonly innerSteps: readonly Step[];
  readonly innerShape: Shape;
  readonly attrs: WindowAttrs;
}

/** The value whose map a maker reads, if any. */
export function sourceOf(make: Maker): number | undefined {
  const reader = make.op === 'maxPooled' ? make.inner : make;
  return 'source' in reader ? reader.source : undefined;
}

/** The value whose map a step writes, if any. */
export function storedBy(step: Step): number | undefined {
  return step.op === 'store' || step.op === 'storeMaxPooled' ? step.value : undefined;
}

/** The value whose map a step reads, if any. */
export function operandOf(step: Step): number | undefined {
  return step.op === 'add' || step.op === 'mul' ? step.value : undefined;
}

/** See `PIXEL_CONV` in native/program/layout.h. */
export interface PixelConvWork {
  readonly attrs: ConvAttrs;
  readonly weight: Int8Array | Int16Array;
  readonly scale: Float32Array;
  readonly yClass: Int32Array;
  readonly xClass: Int32Array;
  readonly bias: Float32Array;
}

/** Which inputs an instruction runs for: 0 any, 1 float32 NCHW only, 2 uint8 NHWC only. */
export type When = 0 | 1 | 2;

export interface Instruction {
  readonly names: readonly string[];
  readonly when: When;
  readonly make: Maker;
  readonly shape: Shape;
  readonly steps: readonly Step[];
}

export interface FusedGraph {
  readonly instructions: readonly Instruction[];
  readonly bitMaps: readonly BitMap[];
}

/** Nodes that read each value, in order; a node that reads a value twice is listed once. */
export function consumersOf(graph: FoldedGraph): readonly (readonly FoldedNode[])[] {
  const consumers: FoldedNode[][] = graph.values.map(() => []);
  for (const node of graph.nodes) {
    for (const input of new Set(node.inputs)) consumers[input]?.push(node);
  }
  return consumers;
}

/** `list[index]` where the passes themselves guarantee that it is there. */
export function at<T>(list: readonly T[], index: number): NonNullable<T> {
  const item = list[index];
  if (item === undefined || item === null) throw new RangeError(`index ${index} of ${list.length}`);
  return item;
}

/** Element-wise work on one operand. */
export function hasOneOperand({ op }: Work): boolean {
  return ['affine', 'prelu', 'scale', 'relu', 'sigmoid', 'hardtanh', 'mulPixels'].includes(op);
}

/** Max pooling over windows of 2×2 that cover their operand. */
export function isHalving({ work, inputs }: FoldedNode, values: readonly Value[]): boolean {
  if (work.op !== 'maxPool') return false;
  const { kernel, stride, padding } = work.attrs;
  const { height, width } = at(values, at(inputs, 0)).shape;
  const two = [...kernel, ...stride].every((size) => size === 2);
  return two && padding.every((size) => size === 0) && height % 2 === 0 && width % 2 === 0;
}
