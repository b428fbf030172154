/** What straight-through estimators leave behind in a graph, and what else does nothing. */
import { readTensor } from '../proto/tensor.js';
import type { TensorProto } from '../proto/onnx_pb.js';
import { ELEMENTWISE } from './elementwise.js';
import { intAttribute, type OnnxGraph, type OnnxNode } from './load.js';

/** Tensors up to here are compared by their elements. */
const SMALL_BYTES = 64;

export interface Simplified {
  /** Name → a name of the same value further up. Follow it once: the target has none. */
  readonly aliases: ReadonlyMap<string, string>;
  /** Nodes that added and subtracted the same value. */
  readonly estimators: readonly OnnxNode[];
}

/**
 * Finds values that equal others:
 *
 * - outputs of `Identity` and of `Dropout`;
 * - a + (s − p) + p in any order, where s is the sign of something, scaled or not. PyTorch code writes
 *   `s.detach() - p.detach() + p`, so that the gradient is that of p, and all of it survives the export. It equals s but
 *   for rounding (1e-7), and where p is infinite.
 *
 * Sameness of p is by structure, since exporters may write its nodes twice.
 */
export function simplify(graph: OnnxGraph, isConstant: (name: string) => boolean): Simplified {
  const aliases = new Map<string, string>();
  const estimators: OnnxNode[] = [];
  const resolve = (name: string) => aliases.get(name) ?? name;
  const numbers = new Numbering(graph, resolve);
  /** Signs of something, and what element-wise operators make of those and of constants. */
  const steps = new Set<string>();
  for (const node of graph.nodes) {
    const [output = ''] = node.outputs;
    const [a = '', b = ''] = node.inputs.map(resolve);
    if (node.op === 'Identity' || (node.op === 'Dropout' && node.inputs.length < 3)) {
      if (a !== '' && output !== '') aliases.set(output, a);
      continue;
    }
    const same = straightThrough(node, a, b, graph, resolve, numbers);
    if (same !== undefined && steps.has(same)) {
      aliases.set(output, same);
      estimators.push(node);
      continue;
    }
    numbers.add(node);
    if (!(node.op in ELEMENTWISE)) continue;
    const inputs = node.inputs.filter((name) => name !== '').map(resolve);
    const isStep =
      node.op === 'Sign' ||
      COMPARISONS.has(node.op) ||
      (inputs.some((name) => steps.has(name)) && inputs.every((name) => steps.has(name) || isConstant(name)));
    if (isStep) steps.add(output);
  }
  return { aliases, estimators };
}

const COMPARISONS = new Set(['Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual']);

/** s where `node` is (s − p) + p, p + (s − p) or (s + p) − p. */
function straightThrough(
  node: OnnxNode,
  a: string,
  b: string,
  graph: OnnxGraph,
  resolve: (name: string) => string,
  numbers: Numbering,
): string | undefined {
  const inner = (name: string, op: string) => {
    const maker = graph.producers.get(name);
    return maker?.op === op && maker.inputs.length === 2 ? maker.inputs.map(resolve) : undefined;
  };
  const equal = (p: string | undefined, q: string) => p !== undefined && numbers.of(p) === numbers.of(q);
  if (node.op === 'Add') {
    for (const [sum, p] of [
      [a, b],
      [b, a],
    ] as const) {
      const parts = inner(sum, 'Sub');
      if (parts !== undefined && equal(parts[1], p)) return parts[0];
    }
  }
  if (node.op === 'Sub') {
    const parts = inner(a, 'Add');
    if (parts !== undefined && equal(parts[1], b)) return parts[0];
    if (parts !== undefined && equal(parts[0], b)) return parts[1];
  }
  return undefined;
}

/** Gives values that are the same function of the same values the same number. */
class Numbering {
  readonly #resolve: (name: string) => string;
  readonly #numbers = new Map<string, number>();
  readonly #keys = new Map<string, number>();

  constructor(graph: OnnxGraph, resolve: (name: string) => string) {
    this.#resolve = resolve;
    for (const [name, tensor] of graph.initialisers) {
      const key = tensorKey(tensor, graph.file);
      if (key !== undefined) this.#set(name, key);
    }
  }

  of(name: string): number {
    const found = this.#numbers.get(name);
    if (found !== undefined) return found;
    return this.#set(name, `name ${name}`);
  }

  add(node: OnnxNode): void {
    const [output = ''] = node.outputs;
    if (!(node.op in ELEMENTWISE || node.op === 'Constant') || output === '') return;
    const parts = [node.op];
    for (const [name, { type, i, f, s, ints, floats, t }] of [...node.attributes].sort()) {
      const tensor = t === undefined ? '' : tensorKey(t, '');
      if (tensor === undefined) return;
      parts.push(`${name} ${type} ${i} ${f} ${Buffer.from(s).toString('hex')} ${ints} ${floats} ${tensor}`);
    }
    // A constant has the number of the initialiser that it could be.
    const { t } = node.attributes.get('value') ?? {};
    const key = node.op === 'Constant' && t !== undefined ? tensorKey(t, '') : undefined;
    this.#set(output, key ?? [...parts, ...node.inputs.map((name) => this.of(this.#resolve(name)))].join('|'));
  }

  #set(name: string, key: string): number {
    const number = this.#keys.get(key) ?? this.#keys.size;
    this.#keys.set(key, number);
    this.#numbers.set(name, number);
    return number;
  }
}

function tensorKey(tensor: TensorProto, file: string): string | undefined {
  const { rawData, floatData, int32Data, int64Data, doubleData, uint64Data } = tensor;
  const numbers = floatData.length + int32Data.length + int64Data.length + doubleData.length + uint64Data.length;
  if (rawData.length > SMALL_BYTES || numbers > SMALL_BYTES / 4) return undefined;
  try {
    const { type, dims, data } = readTensor(tensor, file);
    return `tensor ${type} [${dims}] ${Array.from(data as ArrayLike<unknown>, (x) => (Object.is(x, -0) ? '-0' : x))}`;
  } catch {
    return undefined; // whoever needs it will say what is wrong with it
  }
}

/** Nodes that the outputs need, in order. A `Shape` needs its input's shape only, which may be known without it. */
export function liveNodes(graph: OnnxGraph, { aliases }: Simplified): OnnxNode[] {
  const resolve = (name: string) => aliases.get(name) ?? name;
  const needed = new Set(graph.outputs.map(resolve));
  const live = graph.nodes.toReversed().filter((node) => {
    const isNeeded = node.outputs.some((name) => name !== '' && needed.has(name));
    if (isNeeded && node.op !== 'Shape' && node.op !== 'Size')
      for (const name of node.inputs) needed.add(resolve(name));
    return isNeeded;
  });
  return live.reverse();
}

/** True where a node only computes on its first input: axes, shapes and the like follow. */
export function isTraining(node: OnnxNode): boolean {
  return node.op === 'BatchNormalization' && intAttribute(node, 'training_mode', 0) !== 0;
}
