/** Networks as ONNX models of standard ops. */
import { types } from 'node:util';
import { create } from '@bufbuild/protobuf';
import { argumentError, checkInteger, checkOptions } from '../check.js';
import { FORMAT_VERSION } from '../formats/model-file.js';
import { checkGraph, checkParams } from '../graph/index.js';
import type { Graph } from '../graph/types.js';
import type { Model } from '../model.js';
import { packageVersion } from '../root.js';
import type { Params } from '../tensor.js';
import { valueInfo } from './exportBuilder.js';
import { ExportContext } from './exportContext.js';
import { exportNode } from './exportNodes.js';
import type { Interaction } from './interaction.js';
import { writeModelProto } from './proto/model.js';
import { GraphProtoSchema, type ModelProto, ModelProtoSchema } from './proto/onnx_pb.js';

/** The oldest default operator set that {@link toOnnx} writes. */
export const MIN_OPSET = 9;
/** The newest default operator set that {@link toOnnx} writes. */
export const MAX_OPSET = 28;
const DEFAULT_OPSET = 17;

/** IR versions of the ONNX releases that brought each opset, from the newest. */
const IR_VERSIONS = [
  [28, 14],
  [25, 13],
  [24, 12],
  [23, 11],
  [21, 10],
  [19, 9],
  [15, 8],
  [12, 7],
  [11, 6],
  [10, 5],
  [9, 4],
] as const;

/** Options of {@link toOnnx}. */
export interface ToOnnxOptions {
  /** Of the default operator set, 9 … 28 (default 17). The ops are the same in all of them, how they are written is not. */
  readonly opset?: number;
}

/** A {@link Model}, or what makes one. */
export type ExportSource =
  | Model
  | (Pick<Model, 'graph' | 'params'> & Partial<Pick<Model, 'name' | 'labels' | 'preprocessing' | 'provenance'>>);

/**
 * The network as an ONNX model. Input and outputs are float32 with their names in the graph and a symbolic batch `N`; an output
 * that is a 1×1 map is [N, C], as `run()` returns it. Nodes have our names. Weights of ±1 take a float each: that is what
 * standard ops work with.
 *
 * @throws `ERR_BITPATH_PARAM` for parameters that do not fit the graph, `ERR_BITPATH_ONNX` for a model over 2 GiB,
 *   `ERR_BITPATH_ARGUMENT`, `ERR_BITPATH_UNKNOWN_OPTION`.
 */
export function toOnnx(source: ExportSource, options: ToOnnxOptions = {}): Uint8Array<ArrayBuffer> {
  checkOptions('options', options, ['opset']);
  return writeModelProto(exportModel(source, options).model);
}

/** ONNX's tensors by our value ids, [N, C, H, W] or, where a linear layer made them, [N, C]. */
export type TensorNames = ReadonlyMap<number, string>;

/** The same before it is encoded, with the names of the tensors that hold the graph's values. */
export function exportModel(
  source: ExportSource,
  { opset = DEFAULT_OPSET }: ToOnnxOptions = {},
): { readonly model: ModelProto; readonly tensors: TensorNames } {
  const { graph, params } = checkSource(source);
  checkInteger('options.opset', opset, MIN_OPSET, MAX_OPSET);
  const context = new ExportContext(graph, params, opset);
  for (const node of graph.nodes) exportNode(context, node);
  const outputs = context.outputs();
  const { nodes, initializers, valueInfos } = context.onnx;

  const inputs = graph.nodes.filter((node) => node.op === 'input');
  const onnxGraph = create(GraphProtoSchema, {
    name: graph.name,
    node: nodes,
    initializer: initializers,
    input: inputs.map(({ output, attrs: { channels, height, width } }) => {
      return valueInfo(context.map(output), [channels, height, width]);
    }),
    output: outputs.map(({ name, dims }) => valueInfo(name, dims)),
    valueInfo: valueInfos,
  });
  const model = create(ModelProtoSchema, {
    irVersion: BigInt(irVersion(opset)),
    opsetImport: [{ domain: '', version: BigInt(opset) }],
    producerName: 'bitpath',
    producerVersion: packageVersion(),
    modelVersion: 1n,
    docString: String(source.provenance?.['title'] ?? ''),
    graph: onnxGraph,
    metadataProps: metadata(source).map(([key, value]) => ({ key, value })),
  });
  return { model, tensors: context.tensors() };
}

function checkSource(source: unknown): { graph: Graph; params: Params } {
  if (typeof source !== 'object' || source === null)
    throw argumentError('source', 'a Model or { graph, params }', source);
  const { graph, params } = source as { graph: Graph; params: Params };
  checkGraph('source.graph', graph);
  if (!types.isMap(params)) throw argumentError('source.params', 'a Map of tensors', params);
  checkParams(graph, params);
  return { graph, params };
}

/** What a model file says beside graph and parameters, under the same keys. */
function metadata({
  graph,
  params,
  name,
  labels,
  preprocessing,
  provenance,
}: ExportSource): [key: string, value: string][] {
  const result: [string, string][] = [
    ['bitpath.format', FORMAT_VERSION],
    ['bitpath.name', name ?? graph.name],
    ['bitpath.provenance', JSON.stringify(provenance ?? {})],
  ];
  if (labels) result.push(['bitpath.labels', JSON.stringify(labels)]);
  if (preprocessing) result.push(['bitpath.preprocessing', JSON.stringify(preprocessing)]);
  const eps = inexactEps(graph);
  if (Object.keys(eps).length > 0) result.push(['bitpath.eps', JSON.stringify(eps)]);
  const interactions = interactionsOf(graph, params);
  if (Object.keys(interactions).length > 0) result.push(['bitpath.interactions', JSON.stringify(interactions)]);
  return result;
}

/**
 * ONNX keeps a batchNorm's epsilon as float32, we as double. A reader that takes the shortest decimal for the float32 gets back
 * 1e-5 and every number like it; the others are kept beside the graph, by node.
 */
function inexactEps(graph: Graph): Record<string, number> {
  const result: Record<string, number> = {};
  for (const node of graph.nodes) {
    if (node.op === 'batchNorm' && shortestDecimal(node.attrs.eps) !== node.attrs.eps)
      result[node.name] = node.attrs.eps;
  }
  return result;
}

/** The order of pairs of channels, which the rounds that ONNX has of them do not tell; by node. */
function interactionsOf(graph: Graph, params: Params): Record<string, Interaction> {
  const result: Record<string, Interaction> = {};
  for (const node of graph.nodes) {
    if (node.op !== 'channelInteraction') continue;
    const pairs = params.get(node.params['pairs']?.name ?? '')?.data as Int32Array;
    result[node.name] = { threshold: node.attrs.threshold, step: node.attrs.step, pairs: [...pairs] };
  }
  return result;
}

/** The number with fewest decimal digits that rounds to the same float32 as `value`: 1e-5 for the float32 of 1e-5. */
export function shortestDecimal(value: number): number {
  const float = Math.fround(value);
  for (let digits = 1; digits < 9; digits++) {
    const short = Number(float.toPrecision(digits));
    if (Math.fround(short) === float) return short;
  }
  return Number(float.toPrecision(9));
}

function irVersion(opset: number): number {
  return IR_VERSIONS.find(([first]) => opset >= first)?.[1] ?? 4;
}
