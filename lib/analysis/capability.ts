/**
 * Representational capability (Figure 1): how many different maps a 1-bit convolution can give at most. The numbers have
 * millions of digits, so they are powers here, base and exponent exact, and logarithms in bits.
 */
import { argumentError, checkString } from '../check.js';
import { checkGraph } from '../graph/builder.js';
import { nodeCost } from '../graph/cost.js';
import type { AnyNode, ConvAttrs, Graph, Value } from '../graph/types.js';
import { isBinaryConv } from './pathCosts.js';
import { dataInputs } from './region.js';

/** base^exponent. */
export interface Power {
  /** An integer ≥ 2. */
  readonly base: number;
  /** Exact. */
  readonly exponent: bigint;
  /** exponent · log₂(base). */
  readonly bits: number;
}

/** How many different maps a 1-bit convolution can give, as bounds. */
export interface Capability {
  /** Name of the convolution. */
  readonly node: string;
  /** R(A_b) of the map that the convolution reads: 2^(H·W·C); 3^(H·W·C) of a ternary one. */
  readonly input: Power;
  /**
   * R of its output, with or without shortcut: (h·w·C_in/groups + 1)^(H·W·C_out), since a dot product of K taps takes K + 1
   * values ({0, 1} activations, too; ternary ones 2·K + 1). An upper bound.
   */
  readonly output: Power;
  /** Bi-Real's claim for the sum with a shortcut: the exponent twice. It ignores that the output is a function of the shortcut's map. */
  readonly biRealClaim: Power;
  /**
   * True where, behind element-wise ops, an `add` joins the output and a map that the convolution's input is made from (or a
   * full-precision downsampling of one): where Bi-Real's claim would apply.
   */
  readonly hasShortcut: boolean;
  /** Bits of `output` where taps on padding, which are constant, are left out. */
  readonly bitsWithinBorders: number;
  /** The least of these bounds in bits: for given weights an output has no more values than the input map has. */
  readonly boundBits: number;
}

function power(base: number, exponent: bigint): Power {
  return { base, exponent, bits: Number(exponent) * Math.log2(base) };
}

/**
 * Capability of the 1-bit convolution called `node`. Real-valued layers have none. Throws `ERR_BITPATH_ARGUMENT`.
 */
export function representationalCapability(graph: Graph, node: string): Capability {
  checkGraph('graph', graph);
  checkString('node', node);
  const found = graph.nodes.find(({ name }) => name === node);
  if (found === undefined || !isBinaryConv(graph, found)) {
    throw argumentError('node', `the name of a 1-bit convolution of ${graph.name}`, node);
  }
  return capabilityOf(graph, found);
}

/**
 * Of every 1-bit convolution, in the order of execution.
 *
 * @throws `ERR_BITPATH_ARGUMENT`
 */
export function representationalCapabilities(graph: Graph): readonly Capability[] {
  checkGraph('graph', graph);
  return graph.nodes.filter((node) => isBinaryConv(graph, node)).map((node) => capabilityOf(graph, node));
}

function capabilityOf(graph: Graph, node: AnyNode): Capability {
  const input = graph.values[node.inputs[0] as number] as Value;
  const output = graph.values[node.output] as Value;
  const { kernel, groups } = node.attrs as ConvAttrs;
  const isTernary = (input.type as string) === 'ternary';
  /** Values of a dot product of `taps` taps. */
  const valuesOf = (taps: number) => (isTernary ? 2 * taps : taps) + 1;
  const channels = input.shape.channels / groups;
  const elements = elementCount(output);
  const full = power(valuesOf(kernel[0] * kernel[1] * channels), elements);
  const inputPower = power(isTernary ? 3 : 2, elementCount(input));

  const rows = validTaps(node.attrs as ConvAttrs, 0, input.shape.height, output.shape.height);
  const columns = validTaps(node.attrs as ConvAttrs, 1, input.shape.width, output.shape.width);
  let bitsWithinBorders = 0;
  for (const [tapRows, countRows] of rows) {
    for (const [tapColumns, countColumns] of columns) {
      const pixels = countRows * countColumns;
      bitsWithinBorders += pixels * output.shape.channels * Math.log2(valuesOf(tapRows * tapColumns * channels));
    }
  }
  return {
    node: node.name,
    input: inputPower,
    output: full,
    biRealClaim: power(full.base, 2n * full.exponent),
    hasShortcut: meetsShortcut(graph, node.output, node.inputs[0] as number),
    bitsWithinBorders,
    boundBits: Math.min(inputPower.bits, full.bits, bitsWithinBorders),
  };
}

function elementCount({ shape: { channels, height, width } }: Value): bigint {
  return BigInt(channels) * BigInt(height) * BigInt(width);
}

/** Taps of the kernel inside the map along an axis → how many output positions have so many. */
function validTaps(attrs: ConvAttrs, axis: 0 | 1, inputSize: number, outputSize: number): ReadonlyMap<number, number> {
  const { kernel, stride, dilation, padding } = attrs;
  const counts = new Map<number, number>();
  for (let position = 0; position < outputSize; position++) {
    let valid = 0;
    for (let tap = 0; tap < kernel[axis]; tap++) {
      const at = position * stride[axis] + tap * dilation[axis] - padding[axis];
      if (at >= 0 && at < inputSize) valid++;
    }
    counts.set(valid, (counts.get(valid) ?? 0) + 1);
  }
  return counts;
}

/**
 * Follows ops of one input and one reader that keep the shape (a `mul`'s factor aside, copies of the channels included) as far
 * as an `add`, whose other summand must come from what the convolution reads.
 */
function meetsShortcut(graph: Graph, value: number, source: number): boolean {
  const readers = graph.nodes.filter(({ inputs }) => inputs.includes(value));
  const [reader] = readers;
  if (reader === undefined || readers.length > 1) return false;
  if (reader.op === 'add') {
    const others = reader.inputs.filter((id) => id !== value);
    return others.length === 1 && isShortcut(graph, others[0] as number, ancestors(graph, source));
  }
  const [only, ...more] = distinctInputs(graph, reader);
  if (only !== value || more.length > 0 || hasMacs(graph, reader)) return false;
  const [before, after] = [graph.values[value] as Value, graph.values[reader.output] as Value];
  const keepsShape = elementCount(before) === elementCount(after) || reader.op === 'concat';
  return after.type === 'float32' && keepsShape && meetsShortcut(graph, reader.output, source);
}

/** True where `value` is one of `sources`, or made from one by ops of one input (a downsampling) without 1-bit convolutions. */
function isShortcut(graph: Graph, value: number, sources: ReadonlySet<number>): boolean {
  if (sources.has(value)) return true;
  const writer = graph.nodes.find(({ output }) => output === value);
  if (writer === undefined || isBinaryConv(graph, writer)) return false;
  const [only, ...more] = distinctInputs(graph, writer);
  return only !== undefined && more.length === 0 && isShortcut(graph, only, sources);
}

/** `value` and all that it is made from. */
function ancestors(graph: Graph, value: number): ReadonlySet<number> {
  const found = new Set([value]);
  for (const { inputs, output } of graph.nodes.toReversed())
    if (found.has(output)) for (const id of inputs) found.add(id);
  return found;
}

function distinctInputs(graph: Graph, node: AnyNode): readonly number[] {
  return [...new Set(dataInputs(graph)(node))];
}

function hasMacs(graph: Graph, node: AnyNode): boolean {
  const { binaryMacs, realMacs } = nodeCost(graph, node);
  return binaryMacs + realMacs > 0;
}
