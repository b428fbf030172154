/** An ONNX graph, already decoded, to a graph of ours with its parameters. */
import { onnxError } from '../error.js';
import { BitpathError } from '../../errors.js';
import { graphCost } from '../../graph/cost.js';
import type { Graph, Shape, Value } from '../../graph/types.js';
import type { Params } from '../../tensor.js';
import { type ModelProto, TensorProto_DataType as DataType } from '../proto/onnx_pb.js';
import { ACTIVATIONS } from './activations.js';
import { ARITHMETIC } from './arithmetic.js';
import { asBinary, bitsOf } from './binarise.js';
import { CHANNELS } from './channels.js';
import { Constants } from './constants.js';
import { CONVOLUTIONS } from './convolution.js';
import { ELEMENTWISE } from './elementwise.js';
import { Emitter, type Handler } from './emitter.js';
import { findInteractions } from './interactions.js';
import { loadGraph, intsAttribute, type OnnxGraph, type OnnxNode } from './load.js';
import { type OnnxReport, ReportNotes } from './report.js';
import { SHAPING } from './shaping.js';
import { liveNodes, simplify } from './simplify.js';
import { makeStep } from './steps.js';
import { type Axes, NCHW, shapeOf, type StairsValue, type StepValue } from './values.js';
import { WINDOWS } from './window.js';

/** Every operator that may read something that depends on the input. Names with a domain are QONNX's and Brevitas'. */
const HANDLERS: Readonly<Record<string, Handler>> = {
  ...ARITHMETIC,
  ...ACTIVATIONS,
  ...CHANNELS,
  ...CONVOLUTIONS,
  ...SHAPING,
  ...WINDOWS,
};
const BIPOLAR = /^(qonnx\.custom_op\.general|onnx\.brevitas|finn\.custom_op\.general)\.BipolarQuant$/;

const OTHER_FLOATS: readonly number[] = [DataType.FLOAT16, DataType.BFLOAT16, DataType.DOUBLE];

export interface Imported {
  readonly graph: Graph;
  readonly params: Params;
  readonly report: OnnxReport;
  readonly metadata: ReadonlyMap<string, string>;
}

/**
 * Reads the network out of `model`: constants are folded, remains of training removed, signs and ±1 weights recognised.
 *
 * @throws `ERR_BITPATH_ONNX`, naming the node
 */
export function importModel(model: ModelProto, file: string, name: string | undefined): Imported {
  const onnx = loadGraph(model, file);
  const simple = simplify(onnx, constantNames(onnx));
  const live = liveNodes(onnx, simple);
  const notes = new ReportNotes();
  for (const node of simple.estimators) if (live.length > 0) notes.add('estimator', node.name);
  for (const { name: tensor, dataType } of onnx.initialisers.values()) {
    if (OTHER_FLOATS.includes(dataType)) notes.add('float', tensor);
  }
  const constants = new Constants(onnx, simple.aliases);
  const emitter = new Emitter(onnx, constants, simple.aliases, live, { name: title(name ?? onnx.name), notes });
  try {
    addInput(emitter);
    const interactions = findInteractions(emitter, live);
    for (const node of live) {
      if (!interactions.covered.has(node)) emit(emitter, node, interactions.handlers.get(node) ?? handlerOf(node));
    }
    return { ...finish(emitter), metadata: onnx.metadata };
  } catch (error) {
    if (!(error instanceof BitpathError) || error.code === 'ERR_BITPATH_ONNX') throw error;
    throw onnxError(file, error.message, {}, error); // a shape that does not fit, said by the graph
  }
}

/** Constants by structure; simplifying comes before there are aliases to evaluate with. */
function constantNames(onnx: OnnxGraph): (name: string) => boolean {
  const constants = new Constants(onnx, new Map());
  return (name) => constants.has(name);
}

function emit(emitter: Emitter, node: OnnxNode, handler: Handler | undefined): void {
  const [output = ''] = node.outputs;
  if (output === '' || emitter.constants.has(output) || emitter.find(output) !== undefined) return;
  try {
    if (handler === undefined) throw emitter.unsupported(node);
    const value = handler(emitter, node);
    emitter.set(output, value);
    if (value.kind === 'step' || value.kind === 'stairs') binariseNow(emitter, output, value);
  } catch (error) {
    if (!(error instanceof BitpathError) || error.code === 'ERR_BITPATH_ONNX') throw error;
    throw onnxError(emitter.graph.file, error.message, { node: node.name, op: node.op }, error);
  }
}

function handlerOf(node: OnnxNode): Handler | undefined {
  if (Object.hasOwn(HANDLERS, node.op)) return HANDLERS[node.op];
  if (!BIPOLAR.test(node.op)) return undefined;
  return (emitter) => {
    const step = makeStep(emitter, node);
    if (step === undefined) throw emitter.unsupported(node);
    return step;
  };
}

/** Puts the activation where the file has it, once nothing more is worked out from its steps. */
function binariseNow(emitter: Emitter, output: string, step: StepValue | StairsValue): void {
  const readers = (name: string) => emitter.consumers.get(emitter.resolve(name)) ?? [];
  const isConv = ({ op }: OnnxNode) => op === 'Conv' || op === 'Gemm' || op === 'MatMul';
  const isRead = readers(output).some(
    (node) => isConv(node) || (node.op === 'Pad' && node.outputs.some((name) => readers(name).some(isConv))),
  );
  if (isRead && 'factor' in asBinary(step, step.base.value.shape.channels)) bitsOf(emitter, step);
}

function addInput(emitter: Emitter): void {
  const { input } = emitter.graph;
  const [, a = 1, b = 1, c = 1] = input.dims;
  const axes: Axes = input.dims.length === 2 ? ['C'] : isChannelsLast(emitter, input.name) ? ['H', 'W', 'C'] : NCHW;
  const [channels, height, width] = axes[0] === 'H' ? [c, a, b] : [a, b, c];
  if (axes[0] === 'H') emitter.notes.add('input-nhwc', input.name);
  const node: OnnxNode = { name: input.name, op: 'input', inputs: [], outputs: [input.name], attributes: new Map() };
  const value = emitter.add('input', [], { channels, height, width }, node);
  emitter.set(input.name, { kind: 'map', value, axes });
}

/** True where every way from the input leads over element-wise operators to a transpose from N×H×W×C. */
function isChannelsLast(emitter: Emitter, input: string): boolean {
  const names = [input];
  const seen = new Set(names);
  let transposes = 0;
  for (let name = names.pop(); name !== undefined; name = names.pop()) {
    for (const { op, outputs, ...node } of emitter.consumers.get(name) ?? []) {
      if (op === 'Shape') continue;
      if (op === 'Transpose') {
        if (intsAttribute({ op, outputs, ...node }, 'perm')?.join() !== '0,3,1,2') return false;
        transposes++;
        continue;
      }
      const [output = ''] = outputs;
      if (!Object.hasOwn(ELEMENTWISE, op) && op !== 'Pad') return false;
      if (!seen.has(output)) names.push(emitter.resolve(output));
      seen.add(output);
    }
  }
  return transposes > 0;
}

function finish(emitter: Emitter): Omit<Imported, 'metadata'> {
  const { builder, graph, notes, convolutions, params } = emitter;
  const names = new Set<string>();
  const sizes = ({ channels, height, width }: Shape) => [channels, height, width] as const;
  const outputs = graph.outputs.map((name) => {
    const found = emitter.find(name);
    if (found === undefined)
      throw onnxError(graph.file, `its output ${JSON.stringify(name)} does not depend on its input`);
    const map = emitter.toMap(found);
    let clean = name.slice(0, 200).replace(/[^\w/:-]+/g, '_') || 'output';
    while (names.has(clean)) clean += '_';
    names.add(clean);
    builder.output(clean, map.value);
    return { name: clean, shape: sizes(shapeOf(map)) };
  });
  const built = builder.build();
  const input = built.values[0] as Value;
  const report: OnnxReport = {
    producer: graph.producer,
    opset: graph.opset,
    input: { name: graph.input.name, shape: sizes(input.shape) },
    outputs,
    convolutions,
    notes: notes.list(),
    ...graphCost(built),
  };
  return { graph: built, params, report };
}

/** A line that a graph may be called. */
function title(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it looks for
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, ' ').slice(0, 200) || 'onnx';
}
