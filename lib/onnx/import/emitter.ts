/** The network under construction: what the handlers of operators share. */
import { describe } from '../../check.js';
import type { BitpathError } from '../../errors.js';
import { GraphBuilder } from '../../graph/builder.js';
import type { OpName, Value } from '../../graph/types.js';
import type { Tensor } from '../../tensor.js';
import { onnxError } from '../error.js';
import { EVALUATORS } from './evaluate.js';
import { dequantise } from './binarise.js';
import type { Constant } from './constant.js';
import type { Constants } from './constants.js';
import { hasSubgraph, metadataJson, type OnnxGraph, type OnnxNode } from './load.js';
import type { Convolution, ReportNotes } from './report.js';
import { tensorOf } from './parameters.js';
import { type Axes, dimsOf, type ImportValue, type MapValue, type PerChannel } from './values.js';

export class Emitter {
  readonly graph: OnnxGraph;
  readonly constants: Constants;
  readonly builder: GraphBuilder;
  readonly params = new Map<string, Tensor>();
  readonly convolutions: Convolution[] = [];
  readonly notes: ReportNotes;
  /** Exact eps by node, where a file has them. */
  readonly epsilons: Readonly<Record<string, unknown>>;
  /** Live nodes that read a value, by name; aliases are followed. */
  readonly consumers = new Map<string, OnnxNode[]>();
  /** True for an export by bitpath: its nodes are read one by one, and none is merged with the next. */
  readonly isOwn: boolean;
  readonly #aliases: ReadonlyMap<string, string>;
  readonly #values = new Map<string, ImportValue>();
  readonly #built = new WeakMap<ImportValue, MapValue>();
  /** Names given, and how many nodes wanted each: thousands may have the same one. */
  readonly #names = new Map<string, number>();
  readonly #outputs: ReadonlySet<string>;

  constructor(
    graph: OnnxGraph,
    constants: Constants,
    aliases: ReadonlyMap<string, string>,
    live: readonly OnnxNode[],
    options: { readonly name: string; readonly notes: ReportNotes },
  ) {
    this.graph = graph;
    this.constants = constants;
    this.#aliases = aliases;
    this.notes = options.notes;
    this.epsilons = (metadataJson(graph.metadata, 'eps') ?? {}) as Record<string, unknown>;
    this.isOwn = graph.metadata.has('bitpath.format');
    this.builder = new GraphBuilder(options.name);
    this.#outputs = new Set(graph.outputs.map((name) => this.resolve(name)));
    for (const node of live) {
      for (const name of new Set(node.inputs.map((input) => this.resolve(input)))) {
        const list = this.consumers.get(name);
        if (list === undefined) this.consumers.set(name, [node]);
        else list.push(node);
      }
    }
    constants.dimsOf = (name, node) => this.#dimsOf(name, node, 0);
  }

  resolve(name: string): string {
    return this.#aliases.get(name) ?? name;
  }

  set(name: string, value: ImportValue): void {
    this.#values.set(name, value);
  }
  find(name: string): ImportValue | undefined {
    return this.#values.get(this.resolve(name));
  }

  /** The value that input `index` of `node` reads, which depends on the network's input. */
  input(node: OnnxNode, index: number): ImportValue {
    const name = node.inputs[index] ?? '';
    const value = this.find(name);
    if (value !== undefined) return value;
    throw this.fail(node, `needs its input ${index} (${describe(name)}) to depend on the network’s input`);
  }
  map(node: OnnxNode, index: number): MapValue {
    return this.toMap(this.input(node, index));
  }

  /** The constant that input `index` reads, undefined where it is left out or depends on the network's input. */
  constant(node: OnnxNode, index: number): Constant | undefined {
    const name = node.inputs[index] ?? '';
    return name !== '' && this.constants.has(this.resolve(name)) ? this.constants.get(this.resolve(name)) : undefined;
  }
  needConstant(node: OnnxNode, index: number, what: string): Constant {
    const found = this.constant(node, index);
    if (found !== undefined) return found;
    throw this.fail(node, `needs ${what} to be the same for every picture`);
  }

  /** A constant list of integers: axes, pads, a shape. Hostile ones may have millions. */
  list(node: OnnxNode, index: number, what: string): number[] | undefined {
    const data = this.constant(node, index)?.data;
    if (data === undefined || data.length <= 64) return data && Array.from(data);
    throw this.fail(node, `has ${data.length} numbers as ${what}`);
  }
  needList(node: OnnxNode, index: number, what: string): number[] {
    this.needConstant(node, index, what);
    return this.list(node, index, what) ?? [];
  }

  /** `value` as a map that any op can read. */
  toMap(value: ImportValue): MapValue {
    if (value.kind === 'map') return value;
    const built = this.#built.get(value);
    if (built !== undefined) return built;
    const map = this.#build(value);
    this.#built.set(value, map);
    return map;
  }

  #build(value: Exclude<ImportValue, MapValue>): MapValue {
    switch (value.kind) {
      case 'shifted':
        return this.shift(value.base, value.add, value.node);
      case 'unscaled':
        return value.build(null);
      case 'step':
      case 'stairs':
        return dequantise(this, value);
      case 'bounded':
        throw this.unsupported(
          value.node,
          'is a bounded function whose result more than a sign reads; bitpath has no such op',
        );
      case 'padded':
        throw this.fail(value.node, 'pads a map for something other than a convolution or pool');
    }
  }

  /** Adds a node called after `node`, with its parameters by role. */
  add(
    op: OpName,
    inputs: readonly Value[],
    options: object,
    node: OnnxNode,
    params: Readonly<Record<string, Float32Array | Uint8Array | Int32Array>> = {},
    suffix = '',
  ): Value {
    const name = this.#uniqueName(node.name + suffix);
    const value = this.builder.apply(op, inputs, { ...options, name });
    for (const [role, data] of Object.entries(params)) {
      this.params.set(`${name}.${role}`, tensorOf(op, role, data, value, options));
    }
    return value;
  }

  /** mul · x + add for each channel, as a BatchNorm with mean 0, variance 1 and eps 0: fma(x, mul, add), rounded once. */
  affine(x: MapValue, mul: PerChannel, add: PerChannel, node: OnnxNode, suffix = ''): MapValue {
    const { channels } = x.value.shape;
    this.spend(node, 4 * channels);
    const spread = (value: PerChannel) =>
      typeof value === 'number' ? new Float32Array(channels).fill(value) : Float32Array.from(value);
    const params = {
      weight: spread(mul),
      bias: spread(add),
      running_mean: new Float32Array(channels),
      running_var: new Float32Array(channels).fill(1),
    };
    return { ...x, value: this.add('batchNorm', [x.value], { eps: 0 }, node, params, suffix) };
  }

  /** x + add for each channel. */
  shift(x: MapValue, add: PerChannel, node: OnnxNode): MapValue {
    const { channels } = x.value.shape;
    this.spend(node, channels);
    const bias = typeof add === 'number' ? new Float32Array(channels).fill(add) : Float32Array.from(add);
    return { ...x, value: this.add('bias', [x.value], {}, node, { bias }) };
  }

  /** Takes parameters that are about to be made from the budget of the import: a few bytes can name very wide maps. */
  spend(node: OnnxNode, elements: number): void {
    this.constants.spend(elements, node);
  }

  isOutput(name: string): boolean {
    return this.#outputs.has(this.resolve(name));
  }
  /** The only node that reads `name`, where it is no output of the graph. */
  onlyConsumer(name: string): OnnxNode | undefined {
    const readers = this.consumers.get(name) ?? [];
    return readers.length === 1 && !this.isOutput(name) ? readers[0] : undefined;
  }

  /** `ERR_BITPATH_ONNX`, naming the node. */
  fail(node: OnnxNode, reason: string): BitpathError {
    return onnxError(this.graph.file, `node ${describe(node.name)} (${node.op}) ${reason}`, {
      node: node.name,
      op: node.op,
    });
  }

  /** The error for an operator that bitpath has not: it names all nodes of the kind, so that one sees what there is to change. */
  unsupported(node: OnnxNode, reason?: string): BitpathError {
    const nodes = this.graph.nodes.filter(({ op }) => op === node.op).map(({ name }) => name);
    const others = nodes.filter((name) => name !== node.name);
    const shown = others.slice(0, 20).map((name) => describe(name));
    const list =
      others.length === 0
        ? 'No other node of the file has this op'
        : `Others of its kind: ${shown.join(', ')}${others.length > 20 ? `, … (${others.length})` : ''}`;
    const why =
      reason ??
      (hasSubgraph(node)
        ? 'has graphs within it, which cannot be compiled'
        : EVALUATORS.has(node.op)
          ? 'has no counterpart in bitpath for values that depend on the input'
          : 'is of an op that bitpath does not have');
    return onnxError(this.graph.file, `node ${describe(node.name)} (${node.op}) ${why}. ${list}`, {
      node: node.name,
      op: node.op,
      nodes,
    });
  }

  /** Dimensions of any value: of one that nothing else needs, by the rule of element-wise operators. */
  #dimsOf(name: string, reader: OnnxNode, depth: number): readonly number[] {
    const value = this.find(name);
    if (value !== undefined) return dimsOf(value);
    const maker = this.graph.producers.get(this.resolve(name));
    if (this.constants.has(this.resolve(name))) return this.constants.get(this.resolve(name)).dims;
    if (maker === undefined || depth > 32) throw this.fail(reader, 'asks for a shape that is not known');
    const dims = maker.inputs.map((input) => (input === '' ? [] : this.#dimsOf(input, reader, depth + 1)));
    return dims.reduce((longest, next) => (next.length > longest.length ? next : longest), []);
  }

  #uniqueName(text: string): string {
    const clean =
      text
        .slice(0, 200)
        .replace(/[^\w/:.-]/g, '_')
        .replace(/\.{2,}/g, '.')
        .replace(/^\.+|\.+$/g, '') || 'node';
    let name = clean;
    for (let i = (this.#names.get(clean) ?? 0) + 1; this.#names.has(name); i++) {
      name = `${clean}_${i}`;
      this.#names.set(clean, i);
    }
    this.#names.set(name, 1);
    return name;
  }
}

export type Handler = (emitter: Emitter, node: OnnxNode) => ImportValue;
export type { Axes };
