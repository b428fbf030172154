/** Storage, computation and memory traffic of a graph, counted as the paper counts them and in full, layer by layer. */
import { checkOneOf, checkOptions } from '../check.js';
import { checkGraph } from '../graph/builder.js';
import { nodeCost } from '../graph/cost.js';
import type { AnyNode, Graph, ParamSpec, Value } from '../graph/types.js';

/**
 * What counts as storage. `weights`: 1-bit weights × 1 bit, full-precision weights and the biases beside them × 32 bit, and
 * nothing else, as in the binary rows of Table 1. `weightsAndScales`: output scales (α, and β, γ of a rank-1 scale) × 32 too,
 * as in its XNOR rows. `all`: every parameter, as in its full-precision rows; running statistics of a BatchNorm fold into
 * its weight and bias, so they are no parameters of inference.
 */
export type StorageRule = 'weights' | 'weightsAndScales' | 'all';
export const STORAGE_RULES = ['weights', 'weightsAndScales', 'all'] as const;

/** Options of {@link countCosts}. */
export interface CostOptions {
  /** Default: `weights`; `all` for a graph without 1-bit weights. */
  readonly storage?: StorageRule;
}

/** Of one image. A layer's or a network's. */
export interface Counted {
  /** Bits, by the paper's rule. */
  readonly storageBits: number;
  /** Bits of all parameters: also BatchNorm (2 a channel), scales, gates, thresholds, slopes. */
  readonly fullStorageBits: number;
  /** Multiply-accumulates of 1-bit convolutions; of ternary activations, two each. ReActNet's BOPs. */
  readonly binaryMacs: number;
  /** Full-precision multiply-accumulates. ReActNet's FLOPs. */
  readonly realMacs: number;
  /** The paper's computation: binaryMacs / 64 + realMacs. ReActNet's OPs (BOPs/64 + FLOPs) is the same sum. */
  readonly flops: number;
  /**
   * Operations on single elements: one for each output of what has no multiply-accumulates (BatchNorm is one), one for
   * each element that a pool or a mean adds up, one for each output that a conv scales or adds a bias to. Copies
   * (concat, slice, padding) are none.
   */
  readonly elementOps: number;
  /** flops + elementOps. */
  readonly fullFlops: number;
  /**
   * Bytes of maps that would be read and written if every op read its inputs from memory and wrote its output there: 4 an
   * element of a float32 map, ⅛ of a bit map, ¼ of a ternary one. Fused execution moves less. Weights are not in it.
   */
  readonly trafficBytes: number;
}
/** A node's costs. */
export interface LayerCost extends Counted {
  /** Of the node. */
  readonly name: string;
  /** Of the node. */
  readonly op: string;
}
/** A network's costs, and its layers'. */
export interface GraphCosts extends Counted {
  /** What `storageBits` counts. */
  readonly storageRule: StorageRule;
  /** In the order of execution. */
  readonly layers: readonly LayerCost[];
}

const SCALES = new Set(['scale', 'alpha', 'beta', 'gamma']);
const COPIES: ReadonlySet<string> = new Set(['input', 'concat', 'slice', 'padChannels']);
const BITS: Readonly<Record<string, number>> = { float32: 32, bit: 1, bit01: 1, ternary: 2 };

/**
 * Counts `graph`. Ops are not looked at by name where it can be helped: storage follows from parameters, computation from the
 * ops' own costs, and what has none works on elements.
 *
 * Throws `ERR_BITPATH_ARGUMENT` and `ERR_BITPATH_UNKNOWN_OPTION`.
 */
export function countCosts(graph: Graph, options: CostOptions = {}): GraphCosts {
  checkOptions('countCosts', options, ['storage']);
  checkGraph('graph', graph);
  const isFloat = !graph.nodes.some(({ params }) => Object.values(params).some(({ type }) => type === 'bits'));
  const storageRule = checkOneOf('storage', options.storage ?? (isFloat ? 'all' : 'weights'), STORAGE_RULES);
  const layers = graph.nodes.map((node) => layerCost(graph, node, storageRule));
  const sum = (of: keyof Counted) => layers.reduce((total, layer) => total + layer[of], 0);
  const [binaryMacs, realMacs, elementOps] = [sum('binaryMacs'), sum('realMacs'), sum('elementOps')];
  const flops = binaryMacs / 64 + realMacs;
  return {
    storageRule,
    storageBits: sum('storageBits'),
    fullStorageBits: sum('fullStorageBits'),
    binaryMacs,
    realMacs,
    flops,
    elementOps,
    fullFlops: flops + elementOps,
    trafficBytes: sum('trafficBytes'),
    layers,
  };
}

function layerCost(graph: Graph, node: AnyNode, rule: StorageRule): LayerCost {
  const { binaryMacs, realMacs } = nodeCost(graph, node);
  const flops = binaryMacs / 64 + realMacs;
  const elementOps = elementOperations(graph, node, binaryMacs + realMacs > 0);
  return {
    name: node.name,
    op: node.op,
    storageBits: storageBits(node, rule),
    fullStorageBits: storageBits(node, 'all'),
    binaryMacs,
    realMacs,
    flops,
    elementOps,
    fullFlops: flops + elementOps,
    trafficBytes: trafficBytes(graph, node),
  };
}

function storageBits({ params }: AnyNode, rule: StorageRule): number {
  const entries: readonly [string, ParamSpec][] = Object.entries(params);
  // A matrix or a kernel; per-channel vectors, such as a PReLU's `weight`, are none.
  const hasWeights = entries.some(([, { type, shape }]) => type === 'float32' && shape.length > 1);
  let bits = 0;
  for (const [role, { type, shape }] of entries) {
    const elements = shape.reduce((product, size) => product * size, 1);
    const isWeight = type === 'float32' && (shape.length > 1 || (role === 'bias' && hasWeights));
    const counts =
      type === 'bits' ||
      (rule === 'all' && !role.startsWith('running_')) ||
      (rule !== 'all' && isWeight) ||
      (rule === 'weightsAndScales' && SCALES.has(role));
    if (counts) bits += elements * (type === 'bits' ? 1 : 32);
  }
  return bits;
}

function valueAt(graph: Graph, id: number): Value {
  return graph.values[id] as Value; // ids of a built graph are valid
}
function elementsOf({ shape: { channels, height, width } }: Value): number {
  return channels * height * width;
}

function elementOperations(graph: Graph, node: AnyNode, hasMacs: boolean): number {
  if (COPIES.has(node.op)) return 0;
  const outputs = elementsOf(valueAt(graph, node.output));
  if (hasMacs) return outputs * Object.values(node.params).filter(({ shape }) => shape.length === 1).length;
  if ('kernel' in node.attrs) return node.attrs.kernel[0] * node.attrs.kernel[1] * outputs;
  return Math.max(outputs, ...node.inputs.map((id) => elementsOf(valueAt(graph, id))));
}

function trafficBytes(graph: Graph, node: AnyNode): number {
  if (node.op === 'input') return 0;
  return [...node.inputs, node.output].reduce((sum, id) => {
    const value = valueAt(graph, id);
    return sum + (elementsOf(value) * (BITS[value.type] ?? 32)) / 8;
  }, 0);
}
