/** Which tensors of somebody else's are which of our values: by name. */
import type { AnyNode, Graph, Shape } from '../../graph/types.js';
import { onnxError } from '../error.js';
import type { GraphProto } from '../proto/onnx_pb.js';
import { TensorProto_DataType } from '../proto/onnx_pb.js';

/** A name as the import writes it: ours have letters, digits and `_ - / : .` only. */
function clean(name: string): string {
  const text = name
    .slice(0, 200)
    .replace(/[^\w/:.-]/g, '_')
    .replace(/\.{2,}/g, '.');
  return text.replace(/^\.+|\.+$/g, '');
}

/**
 * ONNX tensors by value id: a node's value goes by the ONNX tensor, or the output of the ONNX node, of the same name, an output
 * by its own. Where the import made several nodes of one (`conv`, then `conv.bias` or `conv_2`, which read it), the last of them
 * has the value.
 */
export function matchOnnx(graph: Graph, onnx: GraphProto): Map<number, string> {
  const tensors = new Map<string, string>();
  const add = (name: string, tensor: string | undefined) => {
    const key = clean(name);
    if (tensor !== undefined && tensor !== '' && key !== '' && !tensors.has(key)) tensors.set(key, tensor);
  };
  for (const { output } of onnx.node) for (const tensor of output) add(tensor, tensor);
  for (const { name, output } of onnx.node) add(name, output[0]);

  const nodes = new Map(graph.nodes.map((node) => [node.name, node]));
  const result = new Map<number, string>();
  for (const [name, tensor] of tensors) {
    const node = nodes.get(name);
    if (node !== undefined && node.op !== 'input') result.set(lastOf(node, name, nodes, tensors).output, tensor);
  }
  const outputs = onnx.output.map(({ name }) => name);
  for (const { name, value } of graph.outputs) {
    // A node says more than an output: of a classifier that ends in a softmax, the import leaves that out.
    if (result.has(value)) continue;
    if (outputs.includes(name)) result.set(value, name);
    else if (graph.outputs.length === 1 && outputs.length === 1) result.set(value, outputs[0] as string);
  }
  return result;
}

function lastOf(
  first: AnyNode,
  name: string,
  nodes: ReadonlyMap<string, AnyNode>,
  tensors: ReadonlyMap<string, string>,
): AnyNode {
  let last = first;
  for (let i = 2; ; i++) {
    const next = [`${name}.bias`, `${name}_${i}`]
      .filter((candidate) => !tensors.has(candidate)) // such a node has a tensor of its own
      .map((candidate) => nodes.get(candidate))
      .find((node) => node?.inputs.includes(last.output));
    if (next === undefined) return last;
    last = next;
  }
}

export interface OnnxInput {
  readonly name: string;
  /** The batch that it demands, if it does. */
  readonly batch: number | null;
  /** Its dimensions after the batch; null for those that it leaves open. */
  readonly dims: readonly (number | null)[];
}

/** The one input that is no initialiser. Throws `ERR_BITPATH_ONNX`. */
export function onnxInput(onnx: GraphProto, file: string): OnnxInput {
  const initializers = new Set(onnx.initializer.map(({ name }) => name));
  const inputs = onnx.input.filter(({ name }) => !initializers.has(name));
  const [input] = inputs;
  if (input === undefined || inputs.length > 1) throw onnxError(file, `it has ${inputs.length} inputs, expected one`);
  const type = input.type?.value;
  if (type?.case !== 'tensorType' || type.value.elemType !== TensorProto_DataType.FLOAT) {
    throw onnxError(file, `its input ${JSON.stringify(input.name)} is no float32 tensor`);
  }
  const [batch = null, ...dims] = (type.value.shape?.dim ?? []).map(({ value }) => {
    return value.case === 'dimValue' && value.value > 0n ? Number(value.value) : null;
  });
  return { name: input.name, batch, dims };
}

/** True for channels last. Where both orders fit, channels come first, as in ONNX they do. */
export function isChannelsLast(dims: readonly (number | null)[], { channels, height, width }: Shape): boolean {
  const fits = (...sizes: number[]) => dims.every((size, i) => size === null || size === sizes[i]);
  return dims.length === 3 && !fits(channels, height, width) && fits(height, width, channels);
}

/**
 * Values by names of tensors that were recorded elsewhere: a node's or an output's name; `scope.out` for what the last node of
 * a scope gives; `scope.in` for the one value that a scope reads from outside. Others are left out.
 */
export function matchNames(graph: Graph, names: Iterable<string>): Map<number, string> {
  const result = new Map<number, string>();
  for (const name of names) {
    const value = valueNamed(graph, name);
    if (value !== undefined && !result.has(value)) result.set(value, name);
  }
  return result;
}

function valueNamed(graph: Graph, name: string): number | undefined {
  const output = graph.outputs.find((item) => item.name === name) ?? graph.nodes.find((node) => node.name === name);
  if (output !== undefined) return 'value' in output ? output.value : output.output;
  if (name === 'input') return graph.nodes.find(({ op }) => op === 'input')?.output;
  const [, scope, end] = /^(.+)\.(in|out)$/.exec(name) ?? [];
  if (scope === undefined) return undefined;
  const nodes = graph.nodes.filter((node) => node.name === scope || node.name.startsWith(`${scope}.`));
  if (end === 'out') return nodes.at(-1)?.output;
  const made = new Set(nodes.map(({ output: made }) => made));
  const read = new Set(nodes.flatMap(({ inputs }) => inputs.filter((input) => !made.has(input))));
  return read.size === 1 ? [...read][0] : undefined;
}
