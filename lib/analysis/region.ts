/** The part of a graph that an analysis looks at: from one value to another one. */
import { argumentError, checkBoolean, checkInteger } from '../check.js';
import { checkGraph, GraphBuilder } from '../graph/builder.js';
import type { AnyNode, Graph, Shape, Value } from '../graph/types.js';

/** A block: nodes put on a builder, from one value to another one. Options are bound: `(g, x) => biReal(g, x, {name: 'b'})`. */
export type Block = (graph: GraphBuilder, x: Value) => Value;

/**
 * A value of a graph: its id, the name of the node that writes it, or a scope of nodes such as `body.3`. A scope stands for
 * the one value that it reads where a region begins, for the one value that others read of it where a region ends.
 */
export type Place = number | string;

/** Which part of a graph an analysis looks at. */
export interface RegionOptions {
  /** Where paths begin in the forward direction. Default: the network's input. */
  readonly from?: Place;
  /** Where they end. Default: the first output. */
  readonly to?: Place;
  /** Both at once: everything between what this scope reads and what it writes. */
  readonly scope?: string;
  /** Of a block that is given as a function: the shape of its input. Default 64 × 56 × 56, ResNet18's first stage. */
  readonly input?: Shape;
  /**
   * True: the second operand of a `mul` is a branch, too, where it is broadcast (a gate C×1×1, a map of factors 1×H×W). Default
   * false: such a factor is made from means and weighs the data, it is no path of the data.
   */
  readonly sideInputs?: boolean;
}
export const REGION_OPTIONS = ['from', 'to', 'scope', 'input', 'sideInputs'] as const;

export interface Region {
  readonly graph: Graph;
  /** Ids of values. */
  readonly from: number;
  readonly to: number;
  /** Ids of the values through which paths come into a node. */
  readonly inputsOf: InputsOf;
}
export type InputsOf = (node: AnyNode) => readonly number[];

/** Inputs of nodes without side inputs: second operands of `mul` that are broadcast. */
export function dataInputs(graph: Graph): InputsOf {
  return ({ op, inputs }) => {
    if (op !== 'mul') return inputs;
    const [first, second] = inputs.map((id) => (graph.values[id] as Value).shape) as [Shape, Shape];
    const isSame = first.channels === second.channels && first.height === second.height && first.width === second.width;
    return isSame ? inputs : inputs.slice(0, 1);
  };
}
const allInputs: InputsOf = ({ inputs }) => inputs;

const FIRST_STAGE: Shape = { channels: 64, height: 56, width: 56 };

/** A graph of `block` alone, with one input of shape `input` and the output `y`. Throws what the block throws. */
export function blockGraph(block: Block, input: Shape = FIRST_STAGE): Graph {
  if (typeof block !== 'function') throw argumentError('block', 'a function (graph, x) → value', block);
  const graph = new GraphBuilder('block');
  graph.output('y', block(graph, graph.input(input)));
  return graph.build();
}

/**
 * The region that options name. Throws `ERR_BITPATH_ARGUMENT` for a target that is no graph and no block, a place that is not
 * there, a scope that reads or writes several values, and options that contradict each other.
 */
export function findRegion(target: Graph | Block, options: RegionOptions = {}): Region {
  const { from, to, scope, input } = options;
  const sideInputs = checkBoolean('sideInputs', options.sideInputs ?? false);
  if (typeof target === 'function') {
    const graph = blockGraph(target, input);
    return regionOf(graph, from === undefined ? scope : from, to === undefined ? scope : to, sideInputs);
  }
  const graph = checkGraph('graph', target);
  if (input !== undefined) throw argumentError('input', 'no input for a graph, which has one', input);
  if (scope !== undefined && (from !== undefined || to !== undefined)) {
    throw argumentError('scope', 'either a scope, or from and to', scope);
  }
  return regionOf(graph, from === undefined ? scope : from, to === undefined ? scope : to, sideInputs);
}

function regionOf(graph: Graph, from: Place | undefined, to: Place | undefined, sideInputs: boolean): Region {
  return {
    graph,
    from: from === undefined ? (graph.nodes[0] as AnyNode).output : placeOf(graph, from, 'from'),
    to: to === undefined ? (graph.outputs[0]?.value as number) : placeOf(graph, to, 'to'),
    inputsOf: sideInputs ? allInputs : dataInputs(graph),
  };
}

function placeOf(graph: Graph, place: Place, side: 'from' | 'to'): number {
  if (typeof place !== 'number' && typeof place !== 'string') {
    throw argumentError(side, 'a value, a node or a scope', place);
  }
  if (typeof place === 'number') return checkInteger(side, place, 0, graph.values.length - 1);
  const node = graph.nodes.find(({ name }) => name === place);
  if (node !== undefined) return node.output;
  const inside = scopeNodes(graph, place);
  if (inside.length === 0) throw argumentError(side, `a value, a node or a scope of graph ${graph.name}`, place);
  const found = side === 'from' ? valuesRead(inside) : valuesWritten(graph, inside);
  if (found.length === 1) return found[0] as number;
  const verb = side === 'from' ? 'reads' : 'writes';
  throw argumentError(side, `a scope that ${verb} one value`, `${place}, which ${verb} ${found.length}`);
}

/** The nodes whose names lie in `scope`. */
export function scopeNodes(graph: Graph, scope: string): readonly AnyNode[] {
  if (typeof scope !== 'string') throw argumentError('scope', 'the name of a scope', scope);
  return graph.nodes.filter(({ name }) => name === scope || name.startsWith(`${scope}.`));
}

function valuesRead(inside: readonly AnyNode[]): number[] {
  const written = new Set(inside.map(({ output }) => output));
  return [...new Set(inside.flatMap(({ inputs }) => inputs))].filter((id) => !written.has(id));
}

function valuesWritten(graph: Graph, inside: readonly AnyNode[]): number[] {
  const nodes = new Set(inside);
  const readOutside = new Set(graph.nodes.filter((node) => !nodes.has(node)).flatMap(({ inputs }) => inputs));
  for (const { value } of graph.outputs) readOutside.add(value);
  return inside.map(({ output }) => output).filter((id) => readOutside.has(id));
}

/** The nodes of a region in topological order, the one that writes `from` first: those that lie on a path from it to `to`. */
export function regionNodes({ graph, from, to, inputsOf }: Region): readonly AnyNode[] {
  const ahead = new Set([from]);
  for (const node of graph.nodes) if (inputsOf(node).some((id) => ahead.has(id))) ahead.add(node.output);
  const behind = new Set([to]);
  for (const node of graph.nodes.toReversed()) {
    if (behind.has(node.output) && node.output !== from) for (const id of inputsOf(node)) behind.add(id);
  }
  return graph.nodes.filter(({ output }) => ahead.has(output) && behind.has(output));
}
