/** Builds graphs: a method for each op, checked and shape-inferred as it is called. */
import { argumentError, checkOptions, describe } from '../check.js';
import { BitpathError } from '../errors.js';
import { checkName, checkTitle } from './names.js';
import { OPS } from './ops/index.js';
import { checkSize, type OpDefinition, shapeError } from './ops/op.js';
import type {
  AvgPoolOptions,
  BatchNormOptions,
  BinaryConvOptions,
  BinaryWeightConvOptions,
  ChannelInteractionOptions,
  HardtanhOptions,
  HeavisideOptions,
  InputOptions,
  LinearOptions,
  MaxPoolOptions,
  NameOption,
  PadChannelsOptions,
  RealConvOptions,
  ScaleOptions,
  SignOptions,
  SliceOptions,
} from './ops/options.js';
import type { AnyNode, Graph, GraphOutput, OpName, ParamSpec, Value, ValueType } from './types.js';

/** Far above any network of the field; it bounds what a hostile file can make us build. */
export const MAX_NODES = 65536;
export const MAX_OUTPUTS = 1024;

const builders = new WeakMap<object, GraphBuilder>();
const graphs = new WeakSet<object>();

/**
 * A network under construction. Each op takes values of this builder and returns a new one; `build()` returns the graph so
 * far. Nodes are named `name` within the current {@link GraphBuilder.scope}; a node without a name is called after its op.
 *
 * Every method throws `ERR_BITPATH_ARGUMENT` or `ERR_BITPATH_UNKNOWN_OPTION` for a bad option, `ERR_BITPATH_SHAPE` for maps
 * that do not fit the op (the message names the node) and `ERR_BITPATH_GRAPH` for what makes no graph: a name used twice, a
 * value of another builder, a second input. A call that throws leaves the builder as it was.
 */
export class GraphBuilder {
  readonly #name: string;
  readonly #nodes: AnyNode[] = [];
  readonly #values: Value[] = [];
  readonly #names = new Set<string>();
  /** How many nodes of `scope + op` were given a name here: where the search for the next one starts. */
  readonly #autoNames = new Map<string, number>();
  readonly #outputs: GraphOutput[] = [];
  #scope = '';

  /** A builder of a graph called `name`, which may hold any printable text. Throws `ERR_BITPATH_ARGUMENT`. */
  constructor(name: string) {
    this.#name = checkTitle('name of the graph', name);
  }

  /** The network's input, a float32 map of `channels` × `height` × `width` for each image; every graph has exactly one. */
  input(options: InputOptions): Value {
    return this.apply('input', [], options);
  }
  /** Real-valued map → bits. */
  sign(x: Value, options?: SignOptions): Value {
    return this.apply('sign', [x], options);
  }
  /** Real-valued map → {0, 1}. */
  heaviside(x: Value, options?: HeavisideOptions): Value {
    return this.apply('heaviside', [x], options);
  }
  /** Real-valued map → {−1, 0, +1}. */
  ternary(x: Value, options?: NameOption): Value {
    return this.apply('ternary', [x], options);
  }
  /** 1-bit convolution of the output of a `sign`, `heaviside` or `ternary`; pads with 0 unless `padValue` says otherwise. */
  binaryConv(x: Value, options: BinaryConvOptions): Value {
    return this.apply('binaryConv', [x], options);
  }
  /** Convolution of a real-valued map by ±1. */
  binaryWeightConv(x: Value, options: BinaryWeightConvOptions): Value {
    return this.apply('binaryWeightConv', [x], options);
  }
  /** Real-valued convolution. */
  conv(x: Value, options: RealConvOptions): Value {
    return this.apply('conv', [x], options);
  }
  /** Fully connected layer on a 1×1 map. */
  linear(x: Value, options: LinearOptions): Value {
    return this.apply('linear', [x], options);
  }
  /** Inference batch normalisation of each channel: (x − mean) / √(var + eps) · weight + bias, parameters [C]. */
  batchNorm(x: Value, options?: BatchNormOptions): Value {
    return this.apply('batchNorm', [x], options);
  }
  /** a + b for maps of equal shape, or a `b` of C×1×1, 1×H×W or 1×1×1. */
  add(a: Value, b: Value, options?: NameOption): Value {
    return this.apply('add', [a, b], options);
  }
  /** a · b, for the shapes of `add`. */
  mul(a: Value, b: Value, options?: NameOption): Value {
    return this.apply('mul', [a, b], options);
  }
  /** x + bias[c]. */
  bias(x: Value, options?: NameOption): Value {
    return this.apply('bias', [x], options);
  }
  /** The channels of `values`, in order. */
  concat(values: readonly Value[], options?: NameOption): Value {
    if (!Array.isArray(values)) throw argumentError('values of concat', 'an array of values', values);
    return this.apply('concat', values, options);
  }
  /** x · factor. */
  scale(x: Value, options: ScaleOptions): Value {
    return this.apply('scale', [x], options);
  }
  /** x · alpha[c] · beta[y] · gamma[x]. */
  rank1Scale(x: Value, options?: NameOption): Value {
    return this.apply('rank1Scale', [x], options);
  }
  /** x between `min` and `max`, −1 and 1 by default. */
  hardtanh(x: Value, options?: HardtanhOptions): Value {
    return this.apply('hardtanh', [x], options);
  }
  /** max(x, 0). */
  relu(x: Value, options?: NameOption): Value {
    return this.apply('relu', [x], options);
  }
  /** |x|. */
  abs(x: Value, options?: NameOption): Value {
    return this.apply('abs', [x], options);
  }
  /** 1 / (1 + e^−x), within 2⁻²² absolutely. */
  sigmoid(x: Value, options?: NameOption): Value {
    return this.apply('sigmoid', [x], options);
  }
  /** x where x ≥ 0, else x · weight[c]; parameter [C]. */
  prelu(x: Value, options?: NameOption): Value {
    return this.apply('prelu', [x], options);
  }
  /** The maximum of each window of `kernel`; padding is −∞. */
  maxPool(x: Value, options: MaxPoolOptions): Value {
    return this.apply('maxPool', [x], options);
  }
  /** The mean of each window of `kernel`; padding is 0 and counts, unless `countIncludePad` is false. */
  avgPool(x: Value, options: AvgPoolOptions): Value {
    return this.apply('avgPool', [x], options);
  }
  /** The mean of each channel: a map of C×1×1. */
  globalAvgPool(x: Value, options?: NameOption): Value {
    return this.apply('globalAvgPool', [x], options);
  }
  /** Mean over the channels of each pixel. */
  channelMean(x: Value, options?: NameOption): Value {
    return this.apply('channelMean', [x], options);
  }
  /** `channels` channels from `from` on. */
  slice(x: Value, options: SliceOptions): Value {
    return this.apply('slice', [x], options);
  }
  /** Zero channels before and after those of `x`. */
  padChannels(x: Value, options: PadChannelsOptions): Value {
    return this.apply('padChannels', [x], options);
  }
  /** CI-BCNN's interaction of pairs of channels. */
  channelInteraction(x: Value, options: ChannelInteractionOptions): Value {
    return this.apply('channelInteraction', [x], options);
  }

  /** Declares `value`, a real-valued map, an output called `name`. Outputs keep the order of these calls. */
  output(name: string, value: Value): void {
    checkName('name of the output', name);
    this.#check(`output ${describe(name)}`, value);
    if (value.type !== 'float32')
      throw shapeError(`output ${describe(name)}`, `expected a float32 map but received a ${value.type} map`);
    if (this.#outputs.some((output) => output.name === name)) {
      throw invalid(`two outputs are called ${describe(name)}`);
    }
    if (this.#outputs.length >= MAX_OUTPUTS) throw invalid(`more than ${MAX_OUTPUTS} outputs`);
    this.#outputs.push(Object.freeze({ name, value: value.id }));
  }

  /** Runs `fn` with `name` and a dot in front of the names of all nodes that it makes, and returns what it returns. */
  scope<T>(name: string, fn: () => T): T {
    const outer = this.#scope;
    this.#scope = `${checkName('name of the scope', outer + name)}.`;
    try {
      return fn();
    } finally {
      this.#scope = outer;
    }
  }

  /** The op called `op`, by the table of ops: what the methods above call, for readers of files. */
  apply<Op extends OpName>(op: Op, inputs: readonly Value[], options?: object): Value {
    if (!Object.hasOwn(OPS, op)) throw argumentError('op', 'the name of an op', op);
    const definition: OpDefinition<Op> = OPS[op];
    const given = { ...options } as Readonly<Record<string, unknown>>;
    const name = this.#nameOf(op, given.name);
    const label = `${op} ${describe(name)}`;
    checkOptions(label, options, [...definition.options, 'name']);
    this.#checkInputs(op, definition.arity, inputs, label);
    for (const input of inputs) checkType(definition.inputType, input, label);

    const operands = inputs.map(({ shape, type }) => ({ ...shape, type }));
    const attrs = deepFreeze(definition.attrs(given, label));
    const { channels, height, width } = definition.shape(attrs, operands, label);
    const shape = { channels, height, width };
    checkSize(label, 'an output', [shape.channels, shape.height, shape.width]);

    const id = this.#values.length;
    const params: Record<string, ParamSpec> = {};
    for (const [role, param] of Object.entries(definition.params?.(attrs, operands) ?? {})) {
      params[role] = { name: `${name}.${role}`, type: param.type, shape: [...param.shape] };
    }
    const value: Value = deepFreeze({ id, type: definition.outputType ?? 'float32', shape });
    const node = { op, name, inputs: inputs.map((input) => input.id), output: id, attrs, params };
    this.#nodes.push(deepFreeze(node) as unknown as AnyNode); // `attrs` is of this very `op`
    this.#values.push(value);
    this.#names.add(name);
    if (given.name === undefined)
      this.#autoNames.set(this.#scope + op, (this.#autoNames.get(this.#scope + op) ?? 0) + 1);
    builders.set(value, this);
    return value;
  }

  /** The graph so far: frozen, and plain data. Throws `ERR_BITPATH_GRAPH` where there is no input or no output. */
  build(): Graph {
    if (this.#nodes.length === 0) throw invalid(`${describe(this.#name)} has no input`);
    if (this.#outputs.length === 0) throw invalid(`${describe(this.#name)} has no output`);
    const graph: Graph = deepFreeze({
      name: this.#name,
      nodes: [...this.#nodes],
      values: [...this.#values],
      outputs: [...this.#outputs],
    });
    graphs.add(graph);
    return graph;
  }

  /** The full name of the next node. */
  #nameOf(op: OpName, given: unknown): string {
    if (this.#nodes.length >= MAX_NODES) throw invalid(`more than ${MAX_NODES} nodes`);
    if (given !== undefined) {
      const name = checkName(`name of ${op}`, this.#scope + checkName(`name of ${op}`, given));
      if (this.#names.has(name)) throw invalid(`two nodes are called ${describe(name)}`);
      return name;
    }
    const base = this.#scope + op;
    let count = this.#autoNames.get(base) ?? 0;
    let name: string;
    do {
      count += 1;
      name = count === 1 ? base : `${base}_${count}`;
    } while (this.#names.has(name));
    return checkName(`name of ${op}`, name);
  }

  #checkInputs(op: OpName, [fewest, most]: readonly [number, number], inputs: readonly Value[], label: string): void {
    if (op === 'input' && this.#nodes.length > 0)
      throw invalid('a graph has one input, and this would be a second one');
    if (inputs.length < fewest || inputs.length > most) {
      const expected = fewest === most ? `${fewest}` : `${fewest} to ${most}`;
      throw argumentError(`inputs of ${label}`, `${expected} value${most === 1 ? '' : 's'}`, inputs.length);
    }
    for (const input of inputs) this.#check(label, input);
  }

  #check(label: string, value: unknown): asserts value is Value {
    if (typeof value !== 'object' || value === null || !builders.has(value)) {
      throw argumentError(`an input of ${label}`, 'a value made by this builder', value);
    }
    if (builders.get(value) !== this) throw invalid(`an input of ${label} belongs to another builder`);
  }
}

function checkType(type: ValueType | readonly ValueType[], input: Value, label: string): void {
  const types = [type].flat();
  if (types.includes(input.type)) return;
  const advice = types.includes('bit') ? 'put a sign before it' : 'only binaryConv reads bits';
  throw shapeError(label, `expected a ${types.join(' or ')} map (${advice}) but received a ${input.type} map`);
}

/**
 * `value` if a builder made it (`build()` or `graphFromJson`), so that everything in it is known to be consistent; throws
 * `ERR_BITPATH_ARGUMENT`. A copy, such as a Worker receives, is none: send `graphToJson`.
 */
export function checkGraph(argument: string, value: unknown): Graph {
  if (typeof value !== 'object' || value === null || !graphs.has(value)) {
    throw argumentError(argument, 'a graph made by GraphBuilder.build() or graphFromJson()', value);
  }
  return value as Graph;
}

function invalid(reason: string): BitpathError {
  return new BitpathError('ERR_BITPATH_GRAPH', { reason });
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const part of Object.values(value)) deepFreeze(part);
  }
  return value;
}
