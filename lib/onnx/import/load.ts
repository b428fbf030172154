/** The nodes of an ONNX model, checked and in topological order. */
import { describe } from '../../check.js';
import { onnxError } from '../error.js';
import {
  type AttributeProto,
  AttributeProto_AttributeType as AttributeType,
  type GraphProto,
  type ModelProto,
  type TensorProto,
  type ValueInfoProto,
} from '../proto/onnx_pb.js';

/** The operator sets that the importer knows. Ops changed before 9, and may change after the newest. */
export const OLDEST_OPSET = 9;
export const NEWEST_OPSET = 28;

export interface OnnxNode {
  /** Its own, or that of its first output. For messages; need not be unique. */
  readonly name: string;
  /** With the domain in front where that is not ONNX's own: `com.microsoft.FusedConv`. */
  readonly op: string;
  /** '' for an optional one that is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, AttributeProto>;
}

export interface OnnxGraph {
  /** What messages call the model. */
  readonly file: string;
  readonly name: string;
  readonly producer: string;
  readonly opset: number;
  /** In topological order, otherwise as in the file. */
  readonly nodes: readonly OnnxNode[];
  readonly initialisers: ReadonlyMap<string, TensorProto>;
  /** The one input that is no parameter. The batch is NaN where it is not fixed. */
  readonly input: { readonly name: string; readonly dims: readonly number[] };
  readonly outputs: readonly string[];
  readonly producers: ReadonlyMap<string, OnnxNode>;
  readonly metadata: ReadonlyMap<string, string>;
}

/** Throws `ERR_BITPATH_ONNX` where names clash, inputs are missing, nodes form a cycle or the opset is not known. */
export function loadGraph(model: ModelProto, file: string): OnnxGraph {
  const fail = (reason: string, details: object = {}) => onnxError(file, reason, details);
  const { graph } = model;
  if (graph === undefined) throw fail('it has no graph');
  const opset = opsetOf(model, file);
  if (graph.sparseInitializer.length > 0) throw fail('it has sparse initialisers, which are not supported');

  const initialisers = new Map<string, TensorProto>();
  for (const tensor of graph.initializer) {
    if (tensor.name === '') throw fail('an initialiser has no name');
    if (initialisers.has(tensor.name)) throw fail(`two initialisers are called ${describe(tensor.name)}`);
    initialisers.set(tensor.name, tensor);
  }
  const input = inputOf(graph, initialisers, file);
  const producers = new Map<string, OnnxNode>();
  const nodes = graph.node.map((proto) => {
    const domain = proto.domain === '' || proto.domain === 'ai.onnx' ? '' : `${proto.domain}.`;
    const attributes = new Map<string, AttributeProto>();
    const name = proto.name || (proto.output.find((output) => output !== '') ?? proto.opType);
    for (const attribute of proto.attribute) {
      if (attributes.has(attribute.name)) throw fail(`node ${describe(name)} has ${describe(attribute.name)} twice`);
      attributes.set(attribute.name, attribute);
    }
    const node: OnnxNode = {
      name,
      op: domain + proto.opType,
      inputs: proto.input,
      outputs: proto.output,
      attributes,
    };
    for (const output of proto.output) {
      if (output === '') continue;
      if (producers.has(output) || initialisers.has(output) || output === input.name) {
        throw fail(`node ${describe(name)}: there are two values called ${describe(output)}`, { node: name });
      }
      producers.set(output, node);
    }
    return node;
  });
  const outputs = graph.output.map(({ name }) => name);
  if (outputs.length === 0) throw fail('its graph has no output');
  const isKnown = (name: string) => name === '' || name === input.name || producers.has(name) || initialisers.has(name);
  for (const node of nodes) {
    const missing = node.inputs.find((name) => !isKnown(name));
    if (missing === undefined) continue;
    throw fail(`node ${describe(node.name)} (${node.op}) reads ${describe(missing)}, which nothing makes`, {
      node: node.name,
    });
  }
  const unmade = outputs.find((name) => name === '' || !isKnown(name));
  if (unmade !== undefined) throw fail(`nothing makes its output ${describe(unmade)}`);
  return {
    file,
    name: graph.name,
    producer: `${model.producerName} ${model.producerVersion}`.trim(),
    opset,
    nodes: sorted(nodes, producers, file),
    initialisers,
    input,
    outputs,
    producers,
    metadata: new Map(model.metadataProps.map(({ key, value }) => [key, value])),
  };
}

function opsetOf({ opsetImport }: ModelProto, file: string): number {
  const own = opsetImport.filter(({ domain }) => domain === '' || domain === 'ai.onnx');
  const opset = Number(own[0]?.version ?? 0);
  if (own.length === 1 && opset >= OLDEST_OPSET && opset <= NEWEST_OPSET) return opset;
  const what = own.length === 1 ? `uses opset ${opset}` : `names ${own.length} versions of ONNX’s operator set`;
  throw onnxError(file, `it ${what}; those from ${OLDEST_OPSET} to ${NEWEST_OPSET} can be read`, { opset });
}

/** Old files list parameters among the inputs. */
function inputOf(graph: GraphProto, initialisers: ReadonlyMap<string, TensorProto>, file: string) {
  const inputs = graph.input.filter(({ name }) => !initialisers.has(name));
  const [first, second] = inputs;
  if (first === undefined || second !== undefined) {
    const names = inputs.slice(0, 8).map(({ name }) => describe(name));
    throw onnxError(file, `it has ${inputs.length} inputs (${names.join(', ') || 'none'}), expected one`);
  }
  return { name: first.name, dims: dimsOf(first, file) };
}

function dimsOf({ name, type }: ValueInfoProto, file: string): number[] {
  const fail = (reason: string) => onnxError(file, `input ${describe(name)} ${reason}`, { input: name });
  const tensor = type?.value.case === 'tensorType' ? type.value.value : undefined;
  const dims = tensor?.shape?.dim;
  if (dims === undefined) throw fail('has no shape; export with shapes, or run onnx.shape_inference over the file');
  if (dims.length !== 4 && dims.length !== 2) throw fail(`has ${dims.length} dimensions, expected N×C×H×W`);
  return dims.map(({ value }, axis) => {
    const size = value.case === 'dimValue' ? Number(value.value) : Number.NaN;
    if (axis === 0 && (Number.isNaN(size) || size <= 0)) return Number.NaN;
    if (Number.isNaN(size)) {
      throw fail(
        `has the open dimension ${describe(value.case === 'dimParam' ? value.value : '?')} at axis ${axis}; ` +
          'only the batch may be open: export with a fixed height and width',
      );
    }
    if (size >= 1 && size <= 65536) return size;
    throw fail(`has ${size} elements along axis ${axis}, expected 1 to 65536`);
  });
}

/** Kahn's algorithm. A node goes where the file has it, or right after the last node that it had to wait for. */
function sorted(nodes: readonly OnnxNode[], producers: ReadonlyMap<string, OnnxNode>, file: string): OnnxNode[] {
  const waitsFor = new Map<OnnxNode, number>();
  const readers = new Map<OnnxNode, OnnxNode[]>();
  for (const node of nodes) {
    const makers = node.inputs.map((name) => producers.get(name)).filter((maker) => maker !== undefined);
    waitsFor.set(node, makers.length);
    for (const maker of makers) {
      const list = readers.get(maker);
      if (list === undefined) readers.set(maker, [node]);
      else list.push(node);
    }
  }
  const done = new Set<OnnxNode>();
  const passed = new Set<OnnxNode>();
  const result: OnnxNode[] = [];
  for (const node of nodes) {
    passed.add(node);
    if (waitsFor.get(node) !== 0) continue;
    const stack = [node];
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      done.add(next);
      result.push(next);
      for (const reader of readers.get(next) ?? []) {
        const left = (waitsFor.get(reader) as number) - 1;
        waitsFor.set(reader, left);
        if (left === 0 && passed.has(reader)) stack.push(reader);
      }
    }
  }
  if (result.length === nodes.length) return result;
  const stuck = nodes.filter((node) => !done.has(node));
  const names = stuck.slice(0, 8).map(({ name }) => describe(name));
  throw onnxError(file, `its nodes form a cycle: ${names.join(', ')}${stuck.length > 8 ? ', …' : ''}`);
}

/** Integer attribute. */
export function intAttribute(node: OnnxNode, name: string, fallback: number): number {
  const attribute = node.attributes.get(name);
  return attribute === undefined ? fallback : Number(attribute.i);
}
export function floatAttribute(node: OnnxNode, name: string, fallback: number): number {
  return node.attributes.get(name)?.f ?? fallback;
}
export function intsAttribute(node: OnnxNode, name: string): number[] | undefined {
  return node.attributes.get(name)?.ints.map(Number);
}
export function stringAttribute(node: OnnxNode, name: string, fallback: string): string {
  const attribute = node.attributes.get(name);
  return attribute === undefined ? fallback : Buffer.from(attribute.s).toString('latin1');
}

/** True where a node has a graph within it: `If`, `Loop`, `Scan`. */
export function hasSubgraph({ attributes }: OnnxNode): boolean {
  return [...attributes.values()].some(
    ({ type, g, graphs }) => type === AttributeType.GRAPH || g !== undefined || graphs.length > 0,
  );
}

/** What bitpath's own export wrote as `bitpath.<key>`. What is no JSON is not ours, and is left. */
export function metadataJson(metadata: ReadonlyMap<string, string>, key: string): unknown {
  const text = metadata.get(`bitpath.${key}`);
  if (text === undefined || text.length > 1 << 24) return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
