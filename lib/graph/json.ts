/** Graphs as JSON: what model files carry. */
import { checkOptions, describe, nearest } from '../check.js';
import { BitpathError } from '../errors.js';
import { GraphBuilder, MAX_NODES } from './builder.js';
import { OP_NAMES, OPS } from './ops/index.js';
import type { Graph, OpName, Value } from './types.js';

/** A reader refuses any other version. */
export const GRAPH_JSON_VERSION = 1;

/** A node's value goes by the node's name, and shapes and parameters follow from the ops, so no fact is written twice. */
export interface GraphJson {
  /** Of this form; a reader refuses any other. */
  readonly version: 1;
  /** Of the graph. */
  readonly name: string;
  /** In order of execution. */
  readonly nodes: readonly {
    /** Name of the op. */
    readonly op: OpName;
    /** Unique within the graph. */
    readonly name: string;
    /** Names of the earlier nodes whose values it reads. */
    readonly inputs: readonly string[];
    /** The op's attributes; left out where it has none. */
    readonly attrs?: Readonly<Record<string, unknown>>;
  }[];
  /** In their order. */
  readonly outputs: readonly {
    /** Of the output. */
    readonly name: string;
    /** Name of the node that makes it. */
    readonly value: string;
  }[];
}

/** `graph` as plain data for `JSON.stringify`. */
export function graphToJson(graph: Graph): GraphJson {
  const nameOf = new Map(graph.nodes.map((node) => [node.output, node.name]));
  const name = (id: number) => nameOf.get(id) as string; // every value of a built graph has its node
  return {
    version: GRAPH_JSON_VERSION,
    name: graph.name,
    nodes: graph.nodes.map((node) => ({
      op: node.op,
      name: node.name,
      inputs: node.inputs.map(name),
      ...(Object.keys(node.attrs).length > 0 ? { attrs: { ...node.attrs } } : {}),
    })),
    outputs: graph.outputs.map((output) => ({ name: output.name, value: name(output.value) })),
  };
}

/**
 * The graph that `json` (parsed JSON, from anywhere) describes. It is replayed through a builder, so nothing unchecked gets
 * in. Throws `ERR_BITPATH_GRAPH` for another structure or version, and what the builder's methods throw.
 */
export function graphFromJson(json: unknown): Graph {
  const root = record('the graph', json, ['version', 'name', 'nodes', 'outputs']);
  if (root.version !== GRAPH_JSON_VERSION) {
    throw invalid(`expected version ${GRAPH_JSON_VERSION} but received ${describe(root.version)}`);
  }
  const builder = new GraphBuilder(root.name as string);
  const values = new Map<string, Value>();
  const value = (what: string, name: unknown): Value => {
    const found = values.get(name as string);
    if (found === undefined) throw invalid(`${what} reads ${describe(name)}, which no earlier node is called`);
    return found;
  };

  for (const [i, item] of list('nodes', root.nodes).entries()) {
    const { op, name, inputs, attrs } = record(`node ${i}`, item, ['op', 'name', 'inputs', 'attrs']);
    if (typeof op !== 'string' || !Object.hasOwn(OPS, op)) {
      const guess = typeof op === 'string' ? nearest(op, OP_NAMES) : undefined;
      throw invalid(
        `node ${i} has the unknown op ${describe(op)}${guess === undefined ? '' : ` (did you mean ${guess}?)`}`,
      );
    }
    const opName = op as OpName;
    if (typeof name !== 'string') throw invalid(`node ${i} has the name ${describe(name)}`);
    const label = `node ${i} (${describe(name)})`;
    const operands = list(`inputs of ${label}`, inputs).map((input) => value(label, input));
    checkOptions(label, attrs as object | undefined, OPS[opName].options);
    values.set(name, builder.apply(opName, operands, { ...(attrs as object | undefined), name }));
  }
  for (const [i, item] of list('outputs', root.outputs).entries()) {
    const output = record(`output ${i}`, item, ['name', 'value']);
    builder.output(output.name as string, value(`output ${i}`, output.value));
  }
  return builder.build();
}

function record(what: string, value: unknown, keys: readonly string[]): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalid(`expected an object for ${what} but received ${describe(value)}`);
  }
  checkOptions(what, value, keys);
  return value as Record<string, unknown>;
}

function list(what: string, value: unknown): readonly unknown[] {
  if (!Array.isArray(value) || value.length > MAX_NODES) {
    throw invalid(`expected an array of at most ${MAX_NODES} elements for ${what} but received ${describe(value)}`);
  }
  return value;
}

function invalid(reason: string): BitpathError {
  return new BitpathError('ERR_BITPATH_GRAPH', { reason });
}
