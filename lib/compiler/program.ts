import type { Shape } from '../graph/types.js';
import type { When } from './ir.js';

/** What native code runs: see native/program/layout.h for the layout of the two arrays. */
export interface Program {
  readonly code: Int32Array;
  readonly constants: Uint8Array;
  /** In the order of the code, for `describe()`. */
  readonly instructions: readonly ProgramInstruction[];
  readonly inputShape: Shape;
  readonly outputs: readonly { readonly name: string; readonly shape: Shape }[];
  /** Images of one pass over the code. */
  readonly batch: number;
  /** Whether the code has a way in for uint8 NHWC pictures. */
  readonly acceptsUint8: boolean;
}

export interface ProgramInstruction {
  /** Names of the graph nodes that the instruction stands for. */
  readonly nodes: readonly string[];
  readonly when: When;
}

export const MAGIC = 0x48545042;
export const VERSION = 4;

export const OPCODES = {
  input: 1,
  binaryConv: 2,
  conv: 3,
  pixelConv: 4,
  maxPool: 5,
  avgPool: 6,
  map: 7,
  maxPooled: 8,
  fill: 9,
  channelMean: 10,
  channelInteraction: 11,
} as const;
export const STEPS = {
  affine: 1,
  add: 2,
  scale: 3,
  relu: 4,
  prelu: 5,
  store: 6,
  sign: 7,
  hardtanh: 8,
  mul: 9,
  mulPixels: 10,
  sigmoid: 11,
  storeMaxPooled: 12,
} as const;
/** What the bits of a 1-bit convolution's input stand for. */
export const ACTIVATIONS = { bit: 0, bit01: 1, ternary: 2 } as const;
