import type { Value } from '../graph/types.js';
import { type BitPlace, placeParts, runsOf } from './bitPlaces.js';
import { rearrangeBits } from './bitRows.js';
import {
  at,
  type BinaryConvWork,
  consumersOf,
  type FoldedGraph,
  type FoldedNode,
  hasOneOperand,
  isHalving,
  type SignRule,
  type Work,
} from './ir.js';
import { prune } from './prune.js';

/** Signs of one value; native/ops/steps.h has room for as many beside the longest instruction that fuse.ts makes. */
const MOST_SIGNS = 40;

/**
 * Moves element-wise work on a concat to the parts of the concat, where it becomes a step of the instruction that makes the
 * part: the signs of a dense stage are then taken while its values are in registers, and a layer's bit map is written by all
 * layers before it, each its channels. Without this, every dense layer reads the whole stage again.
 *
 * A concat's only real-valued reader moves too, if it is element-wise with one operand, and so does the 2×2 max pooling at the end of
 * a dense stage: a layer then stores a quarter of its values, and nobody reads the whole stage.
 */
export function distribute(graph: FoldedGraph): FoldedGraph {
  return prune(distributeReaders(distributeSigns(graph)));
}

/** The values that a concat joins, with concats among them taken apart. */
function partsOf(value: number, maker: ReadonlyMap<number, FoldedNode>): readonly number[] {
  const node = maker.get(value);
  return node?.work.op === 'concat' ? node.inputs.flatMap((input) => partsOf(input, maker)) : [value];
}

const makersOf = (graph: FoldedGraph) => new Map(graph.nodes.map((node) => [node.output, node]));

function distributeSigns(graph: FoldedGraph): FoldedGraph {
  const consumers = consumersOf(graph);
  const makers = makersOf(graph);
  const values: Value[] = [...graph.values];
  const signs = new Map<number, number>();
  const convs = new Map<FoldedNode, FoldedNode>();

  const nodes = graph.nodes.flatMap((node): FoldedNode[] => {
    if (node.work.op === 'binaryConv') return [convs.get(node) ?? node];
    if (node.work.op !== 'sign') return [node];
    const { rule } = node.work;
    const parts = partsOf(at(node.inputs, 0), makers);
    const readers = at(consumers, node.output);
    const crowded = parts.some((part) => (signs.get(part) ?? 0) >= MOST_SIGNS);
    if (parts.length < 2 || crowded || !readers.every(canRead)) return [node];

    for (const part of parts) signs.set(part, (signs.get(part) ?? 0) + 1);
    const widths = parts.map((part) => at(values, part).shape.channels);
    const places = placeParts(widths);
    for (const conv of readers) {
      if (conv.work.op === 'binaryConv')
        convs.set(conv, { ...conv, work: { ...conv.work, bits: placeWeights(conv.work, widths, places) } });
    }
    let channel = 0;
    const made = parts.map((part, i): FoldedNode => {
      const { shape } = at(values, part);
      const output = values.length;
      values.push({ ...at(values, node.output), id: output, shape });
      const work: Work = { op: 'sign', rule: sliceRule(rule, channel, shape.channels) };
      channel += at(widths, i);
      return { names: node.names, inputs: [part], output, work };
    });
    const concat: Work = { op: 'concatBits', places };
    return [...made, { ...node, inputs: made.map(({ output }) => output), work: concat }];
  });
  return { ...graph, nodes, values };
}

function canRead({ work }: FoldedNode): boolean {
  return work.op === 'binaryConv' && work.attrs.groups === 1;
}

/** The weights of `conv` with each part's channels at its place. */
function placeWeights(
  { attrs, bits }: BinaryConvWork,
  widths: readonly number[],
  places: readonly BitPlace[],
): Uint8Array {
  const channels = widths.reduce((sum, width) => sum + width, 0);
  const size = {
    rows: attrs.outChannels,
    taps: attrs.kernel[0] * attrs.kernel[1],
    fromBits: channels,
    toBits: channels,
  };
  let from = 0;
  const runs = widths.flatMap((width, i) => {
    from += width;
    return runsOf(at(places, i), from - width, width);
  });
  return rearrangeBits(bits, size, runs);
}

function sliceRule({ threshold, flip }: SignRule, from: number, count: number): SignRule {
  return {
    threshold: threshold?.slice(from, from + count) ?? null,
    flip: flip?.slice(from, from + count) ?? null,
  };
}

/** Over and over, because what a reader becomes is a concat again. */
function distributeReaders(graph: FoldedGraph): FoldedGraph {
  for (let current = graph; ; ) {
    const next = distributeOneReader(prune(current));
    if (next === null) return current;
    current = next;
  }
}

function distributeOneReader(graph: FoldedGraph): FoldedGraph | null {
  const consumers = consumersOf(graph);
  const makers = makersOf(graph);
  const outputs = new Set(graph.outputs.map(({ value }) => value));
  for (const concat of graph.nodes) {
    if (concat.work.op !== 'concat' || outputs.has(concat.output)) continue;
    const [reader, ...others] = at(consumers, concat.output);
    if (reader === undefined || others.length > 0) continue;
    const moved = movable(reader, graph, consumers);
    if (moved.length === 0) continue;
    const parts = partsOf(concat.output, makers);
    // Another reader of a part's value would have it stored beside the part.
    if (!parts.every((part) => !outputs.has(part) && at(consumers, part).every(isForConcat))) continue;

    const values: Value[] = [...graph.values];
    const made: FoldedNode[] = [];
    let channel = 0;
    const joined = parts.map((part) => {
      const { channels } = at(values, part).shape;
      let value = part;
      for (const node of moved) {
        const { height, width } = node.work.op === 'maxPool' ? at(values, node.output).shape : at(values, value).shape;
        const output = values.length;
        values.push({ ...at(values, part), id: output, shape: { channels, height, width } });
        const work = sliced(node.work, channel, channels);
        made.push({ names: node.names, inputs: [value], output, work });
        value = output;
      }
      channel += channels;
      return value;
    });
    // What was last in the graph's order is first in `moved`.
    const { output } = at(moved, 0);
    const join: FoldedNode = { names: concat.names, inputs: joined, output, work: { op: 'concat' } };
    const nodes = graph.nodes.flatMap((node) => {
      if (node === reader) return [...made, join];
      return moved.includes(node) ? [] : [node];
    });
    return { ...graph, nodes, values };
  }
  return null;
}

const isForConcat = ({ work }: FoldedNode) => work.op === 'concat' || work.op === 'sign';

/**
 * What of the work that begins with `reader` can be done on the parts of its operand, in the order in which it is done there; empty
 * if nothing. A ReLU between the pooling and convolutions is taken first: the two orders differ in the sign of zeros alone, and
 * a sum that begins with +0 is the same with either zero, unless it underflows to −0, and then in the sign of that zero alone.
 */
function movable(
  reader: FoldedNode,
  { values, outputs }: FoldedGraph,
  consumers: readonly (readonly FoldedNode[])[],
): readonly FoldedNode[] {
  if (hasOneOperand(reader.work)) return [reader];
  if (!isHalving(reader, values)) return [];
  const isOutput = (node: FoldedNode) => outputs.some(({ value }) => value === node.output);
  const toConvs = (node: FoldedNode) =>
    !isOutput(node) && at(consumers, node.output).every(({ work }) => work.op === 'conv');
  if (toConvs(reader)) return [reader];
  const [relu, ...others] = at(consumers, reader.output);
  const between = relu?.work.op === 'relu' && others.length === 0 && !isOutput(reader) && toConvs(relu);
  return between ? [relu, reader] : [];
}

/** The work on the `count` channels from `from` on. */
function sliced(work: Work, from: number, count: number): Work {
  const end = from + count;
  switch (work.op) {
    case 'affine':
      return { op: 'affine', mul: work.mul.slice(from, end), add: work.add.slice(from, end) };
    case 'prelu':
      return { op: 'prelu', slope: work.slope.slice(from, end) };
    default:
      return work;
  }
}
