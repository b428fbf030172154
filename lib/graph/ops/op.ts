/** What an op has to say about itself, and the words that all ops share. */
import { argumentError, checkInteger } from '../../check.js';
import { BitpathError } from '../../errors.js';
import { MAX_ELEMENTS } from '../../tensor.js';
import type { OpAttrs, OpName, ParamSpec, Shape, ValueType } from '../types.js';

/** Multiply-accumulates for one image, taps on padding included: ±1 products (a ternary one counts as two), and real ones. */
export interface Cost {
  /** Products of ±1; a ternary activation's count as two. */
  readonly binaryMacs: number;
  /** Products of real numbers. */
  readonly realMacs: number;
}
export const FREE: Cost = Object.freeze({ binaryMacs: 0, realMacs: 0 });

/** What an op's rules know of an input. */
export type Operand = Shape & { readonly type: ValueType };

/** A parameter before its node gives it a name. */
export type ParamShape = Omit<ParamSpec, 'name'>;

/** Options of every op: the node's name within the current scope; left out, the builder makes one from the op's. */
export interface NameOption {
  /** Unique within the graph, once the scopes stand before it. */
  readonly name?: string;
}

/**
 * An op. The options that the builder takes and the attributes that a node keeps have the same names: options may be
 * shorter (an integer for a pair, defaults left out), and a node's attributes are valid options, which is how a graph is
 * read back from JSON. `node` is the label that errors name.
 */
export interface OpDefinition<Op extends OpName> {
  readonly op: Op;
  /** Fewest and most inputs. */
  readonly arity: readonly [number, number];
  /** Types that the inputs may have. */
  readonly inputType: ValueType | readonly ValueType[];
  readonly options: readonly (keyof OpAttrs[Op] & string)[];
  /** Options, checked and made explicit. */
  attrs(options: Readonly<Record<string, unknown>>, node: string): OpAttrs[Op];
  /** The shape rule. Throws `ERR_BITPATH_SHAPE`. Inputs are as many as `arity` and of `inputType`. */
  shape(attrs: OpAttrs[Op], inputs: readonly Operand[], node: string): Shape;
  /** Type of the output, `float32` if left out. */
  readonly outputType?: ValueType;
  params?(attrs: OpAttrs[Op], inputs: readonly Operand[]): Readonly<Record<string, ParamShape>>;
  cost?(attrs: OpAttrs[Op], inputs: readonly Operand[], output: Shape): Cost;
}

/** The op of a definition without attributes. */
export function noAttrs(): Record<string, never> {
  return {};
}
/** The shape rule of element-wise ops. */
export function sameShape(_attrs: unknown, inputs: readonly Shape[]): Shape {
  return first(inputs);
}
/** The shape rule of `add` and `mul`: the first operand's, which the second has too unless it is broadcast. */
export function broadcastShape(_attrs: unknown, inputs: readonly Shape[], node: string): Shape {
  const [a, b] = inputs as readonly [Shape, Shape];
  const map = (b.height === a.height && b.width === a.width) || (b.height === 1 && b.width === 1);
  if (!map || (b.channels !== a.channels && b.channels !== 1)) {
    const reason = `expected two maps of equal shape, or a second one of C×1×1, 1×H×W or 1×1×1, but received ${inputs.map(formatShape).join(' and ')}`;
    throw shapeError(node, reason);
  }
  return a;
}
export function first<T>(inputs: readonly T[]): T {
  return inputs[0] as T; // the builder has checked the arity
}
export function floats(...shape: number[]): ParamShape {
  return { type: 'float32', shape };
}

export function shapeError(node: string, reason: string): BitpathError {
  return new BitpathError('ERR_BITPATH_SHAPE', { node, reason });
}
/** `64×56×56`: channels, height, width. */
export function formatShape({ channels, height, width }: Shape): string {
  return `${channels}×${height}×${width}`;
}

/** Refuses a map, or a tensor of parameters, whose dimensions or element count reach 2³¹. */
export function checkSize(node: string, what: string, dimensions: readonly number[]): void {
  const elements = dimensions.reduce((product, size) => product * size, 1);
  if (elements > MAX_ELEMENTS || dimensions.some((size) => size > MAX_ELEMENTS)) {
    throw shapeError(node, `expected ${what} of fewer than 2³¹ elements but received ${dimensions.join('×')}`);
  }
}

/** An option that is an integer in [min, 2³¹). `fallback` stands for one left out. */
export function integerOption(node: string, option: string, value: unknown, min: number, fallback?: number): number {
  if (value === undefined && fallback !== undefined) return fallback;
  return checkInteger(`${option} of ${node}`, value, min, MAX_ELEMENTS);
}
export function booleanOption(node: string, option: string, value: unknown, fallback: boolean): boolean {
  if (value === undefined) return fallback;
  if (typeof value !== 'boolean') throw argumentError(`${option} of ${node}`, 'true or false', value);
  return value;
}
