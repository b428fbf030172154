/** bitpath against another engine: an ONNX model run by onnxruntime, or tensors that were recorded elsewhere. */
import { argumentError, checkInteger, checkOptions } from '../../check.js';
import { compile } from '../../executor.js';
import { Random } from '../../graph/random.js';
import type { Graph, Shape, Value } from '../../graph/types.js';
import { inputShape, Model } from '../../model.js';
import { elementCount, type Tensor } from '../../tensor.js';
import { onnxError } from '../error.js';
import type { ModelProto } from '../proto/onnx_pb.js';
import { readModelProto } from '../proto/model.js';
import { compareLayers, type LayerReport } from './compare.js';
import { type EndToEnd, endToEnd } from './ends.js';
import { isChannelsLast, matchNames, matchOnnx, onnxInput } from './match.js';
import { OnnxSession, type OrtTensorData } from './onnxruntime.js';

export type { LayerReport, Verdict } from './compare.js';
export type { EndToEnd } from './ends.js';
export type { Difference, Signs } from './measure.js';

/** How far two engines agree on a network. */
export interface Comparison {
  /** In order of execution. */
  readonly layers: readonly LayerReport[];
  /** Of the first output; null where the other side has not recorded it. */
  readonly endToEnd: EndToEnd | null;
  /** Values of the graph but for its input. */
  readonly values: number;
  /** Those of them for which the other side has a tensor. */
  readonly known: number;
  /** True where every layer is equal. */
  readonly agree: boolean;
}

/** Options of {@link compareWithOnnx}. */
export interface CompareWithOnnxOptions {
  /** Random inputs, normally distributed, 1 … 65536. Default 2. */
  readonly images?: number | undefined;
  /** Of the inputs, an integer from 0 to 2⁵³ − 1. Default 0. */
  readonly seed?: number | undefined;
  /** Of both engines, 1 … 1024. Default 2. */
  readonly threads?: number | undefined;
  /** What error messages call the ONNX model. Default `ONNX model`. */
  readonly file?: string | undefined;
  /** Hears of each layer as soon as it has been compared. */
  readonly onLayer?: ((report: LayerReport) => void) | undefined;
}

/**
 * Runs an ONNX model in onnxruntime, and each layer of `model` on onnxruntime's own tensors. Layers are what lies between
 * values whose names are found on both sides; `toOnnx` and `fromOnnx` keep names.
 *
 * @param onnx The bytes of the ONNX model, which has no external data.
 * @throws `ERR_BITPATH_MISSING_PACKAGE` without onnxruntime-node; `ERR_BITPATH_ONNX` for a model that it does not run, that has
 *   another input, or no tensor in common with `model`; `ERR_BITPATH_ARGUMENT`, `ERR_BITPATH_UNKNOWN_OPTION`.
 */
export async function compareWithOnnx(
  model: Model,
  onnx: Uint8Array,
  options: CompareWithOnnxOptions = {},
): Promise<Comparison> {
  checkModel(model);
  return compareWithProto(model, readModelProto(onnx, options.file), options);
}

/** What {@link compareWithOnnx} does with a decoded model, external data and all. */
export async function compareWithProto(
  model: Model,
  proto: ModelProto,
  options: CompareWithOnnxOptions,
): Promise<Comparison> {
  checkOptions('options', options, ['images', 'seed', 'threads', 'file', 'onLayer']);
  const { file = 'ONNX model', onLayer } = options;
  const threads = checkInteger('options.threads', options.threads ?? 2, 1, 1024);
  if (proto.graph === undefined) throw onnxError(file, 'it has no graph');
  const { graph } = model;
  const { name: input, batch, dims } = onnxInput(proto.graph, file);
  const images = Math.max(batch ?? 1, checkInteger('options.images', options.images ?? 2, 1, 65536));
  const count = batch === null ? images : Math.ceil(images / batch) * batch;
  const { channels, height, width } = inputShape(graph);
  const random = new Random(checkInteger('options.seed', options.seed ?? 0, 0, Number.MAX_SAFE_INTEGER), 'diff');
  const data = Float32Array.from({ length: count * channels * height * width }, () => random.normal());

  const names = matchOnnx(graph, proto.graph);
  if (names.size === 0) throw onnxError(file, `it has no tensor whose name is known in ${model.name}`);
  const maps = new Map<number, Float32Array>([[inputId(graph), data]]);
  const session = await OnnxSession.create(proto, names.values(), { file, threads });
  try {
    const step = batch ?? count;
    const lastly = isChannelsLast(dims, { channels, height, width });
    const sizes = lastly ? [step, height, width, channels] : [step, channels, height, width];
    for (let n = 0; n < count; n += step) {
      const size = channels * height * width;
      const part = data.subarray(n * size, (n + step) * size);
      const laid = lastly ? transpose(part, step, channels, height * width) : part;
      const outputs = await session.run(input, laid, sizes, [...names.values()], file);
      for (const [id, name] of names) {
        const { shape } = graph.values[id] as Value;
        const map = toMap(outputs.get(name), step, shape);
        if (map === null) continue;
        if (!maps.has(id)) maps.set(id, new Float32Array((count / step) * map.length));
        maps.get(id)?.set(map, (n / step) * map.length);
      }
    }
  } finally {
    await session.release();
  }
  return compare(model, maps, count, threads, onLayer);
}

/** A tensor as [N, C, H, W], or null for one of another size: another thing of the same name. */
function toMap(tensor: OrtTensorData | undefined, count: number, shape: Shape): Float32Array | null {
  const pixels = shape.height * shape.width;
  if (tensor === undefined || tensor.data.length !== count * shape.channels * pixels) return null;
  return isChannelsLast(tensor.dims.slice(1), shape)
    ? transpose(tensor.data, count, pixels, shape.channels)
    : tensor.data;
}

/** [N, rows, columns] → [N, columns, rows]. */
function transpose(data: Float32Array, count: number, rows: number, columns: number): Float32Array {
  const result = new Float32Array(data.length);
  for (let n = 0; n < count; n++) {
    const base = n * rows * columns;
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < columns; c++) result[base + c * rows + r] = data[base + r * columns + c] as number;
    }
  }
  return result;
}

/** Options of {@link compareWithTensors}. */
export interface CompareWithTensorsOptions {
  /** 1 … 1024. Default 2. */
  readonly threads?: number | undefined;
  /** Hears of each layer as soon as it has been compared. */
  readonly onLayer?: ((report: LayerReport) => void) | undefined;
}

/**
 * Compares with tensors [N, C, H, W] (or [N, C]) that another engine has recorded: `input`, and any of: a node's or an output's
 * name, `scope.in`, `scope.out`. Names that say nothing here are left out.
 *
 * @throws `ERR_BITPATH_ARGUMENT` without an input, or with tensors that do not fit; `ERR_BITPATH_UNKNOWN_OPTION`.
 */
export async function compareWithTensors(
  model: Model,
  tensors: ReadonlyMap<string, Tensor>,
  options: CompareWithTensorsOptions = {},
): Promise<Comparison> {
  checkModel(model);
  checkOptions('options', options, ['threads', 'onLayer']);
  const threads = checkInteger('options.threads', options.threads ?? 2, 1, 1024);
  const { graph } = model;
  const maps = new Map<number, Float32Array>();
  const names = matchNames(graph, tensors.keys());
  const first = names.get(inputId(graph));
  if (first === undefined) throw argumentError('tensors', 'one called "input"', [...tensors.keys()]);
  const count = (tensors.get(first) as Tensor).shape[0] ?? 0;
  for (const [id, name] of names) {
    const { dtype, shape, data } = tensors.get(name) as Tensor;
    const value = (graph.values[id] as Value).shape;
    if (dtype !== 'float32' || !fits(shape, count, value)) {
      const expected = `float32 [${count}, ${value.channels}, ${value.height}, ${value.width}]`;
      throw argumentError(`tensor ${name}`, expected, `${dtype} [${shape.join(', ')}]`);
    }
    maps.set(id, data as Float32Array);
  }
  return compare(model, maps, count, threads, options.onLayer);
}

function fits(shape: readonly number[], count: number, { channels, height, width }: Shape): boolean {
  const [images, c, ...rest] = shape;
  return count > 0 && images === count && c === channels && rest.length <= 2 && elementCount(rest) === height * width;
}

async function compare(
  model: Model,
  maps: ReadonlyMap<number, Float32Array>,
  count: number,
  threads: number,
  onLayer: ((report: LayerReport) => void) | undefined,
): Promise<Comparison> {
  const { graph, params } = model;
  const layers = await compareLayers(graph, params, maps, count, { threads, ...(onLayer ? { onLayer } : {}) });
  const [output] = graph.outputs;
  const expected = maps.get(output?.value ?? -1);
  let ends: EndToEnd | null = null;
  if (output !== undefined && expected !== undefined) {
    using executor = await compile(graph, params, { threads });
    const results = await executor.run(maps.get(inputId(graph)) as Float32Array);
    ends = endToEnd((results[output.name] as Tensor<'float32'>).data, expected, count);
  }
  const agree = layers.length > 0 && layers.every(({ verdict }) => verdict === 'equal');
  return { layers, endToEnd: ends, values: graph.values.length - 1, known: maps.size - 1, agree };
}

function inputId(graph: Graph): number {
  return graph.nodes.find(({ op }) => op === 'input')?.output ?? -1;
}

function checkModel(model: unknown): asserts model is Model {
  if (!(model instanceof Model)) throw argumentError('model', 'a Model', model);
}
