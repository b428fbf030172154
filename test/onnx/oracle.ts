/** The gate: a network in onnxruntime, and each of its layers in bitpath on onnxruntime's own tensors. */
import assert from 'node:assert/strict';
import { compile, type Graph, type Model, type Params } from 'bitpath';
import { compareLayers, type LayerReport } from '#lib/onnx/diff/compare.js';
import { type EndToEnd, endToEnd } from '#lib/onnx/diff/ends.js';
import { valuesBetween } from '#lib/onnx/diff/layers.js';
import { OnnxSession } from '#lib/onnx/diff/onnxruntime.js';
import { exportModel } from '#lib/onnx/export.js';

const THREADS = 2;
const FILE = 'exported';

export interface Network {
  readonly graph: Graph;
  readonly params: Params;
}

/** All values of a network for `count` images, as onnxruntime computes them from the exported model, one node at a time. */
export async function onnxValues(
  network: Network | Model,
  input: Float32Array,
  count: number,
  opset = 17,
): Promise<Map<number, Float32Array>> {
  const { model, tensors } = exportModel(network, { opset });
  const { graph } = network;
  const node = graph.nodes.find(({ op }) => op === 'input');
  assert.ok(node?.op === 'input');
  const { channels, height, width } = node.attrs;
  const names = [...tensors].filter(([id]) => id !== node.output);
  const session = await OnnxSession.create(
    model,
    names.map(([, name]) => name),
    { file: FILE, threads: THREADS },
  );
  try {
    const inputName = tensors.get(node.output) as string;
    const dims = [count, channels, height, width];
    const outputs = await session.run(
      inputName,
      input,
      dims,
      names.map(([, name]) => name),
      FILE,
    );
    const values = new Map<number, Float32Array>([[node.output, input]]);
    for (const [id, name] of names) {
      const output = outputs.get(name);
      assert.ok(output, `no tensor ${name}`);
      values.set(id, output.data);
    }
    assert.equal(values.size, graph.values.length);
    return values;
  } finally {
    await session.release();
  }
}

export interface Gate {
  readonly nodes: readonly LayerReport[];
  readonly instructions: readonly LayerReport[];
  readonly ends: EndToEnd;
}

/** Node by node, then instruction by instruction as compiled: fused steps are then fused in the part that is run. */
export async function gate(
  { graph, params }: Network,
  values: ReadonlyMap<number, Float32Array>,
  count: number,
): Promise<Gate> {
  const nodes = await compareLayers(graph, params, values, count, { threads: THREADS });
  using executor = await compile(graph, params, { threads: THREADS });
  const groups = executor.describe().instructions.map((instruction) => instruction.nodes);
  const known = valuesBetween(graph, groups);
  const instructions = await compareLayers(graph, params, values, count, { threads: THREADS, known });
  const [output] = graph.outputs;
  const input = graph.nodes.find(({ op }) => op === 'input')?.output ?? -1;
  assert.ok(output);
  const results = await executor.run(values.get(input) as Float32Array);
  const ends = endToEnd(results[output.name]?.data as Float32Array, values.get(output.value) as Float32Array, count);
  return { nodes, instructions, ends };
}

/** Sums over layers, for printing and asserting. */
export class Tally {
  networks = 0;
  layers = 0;
  values = 0;
  clear = 0;
  near = 0;
  nearFlipped = 0;
  images = 0;
  sameTop1 = 0;
  worst = 0;
  distance = 0;

  add({ nodes, instructions, ends }: Gate): void {
    this.networks++;
    for (const layer of [...nodes, ...instructions]) {
      this.layers++;
      this.values += layer.values;
      this.clear += layer.signs.clear;
      this.near += layer.signs.near;
      this.nearFlipped += layer.signs.nearFlipped;
      this.worst = Math.max(this.worst, layer.relative);
    }
    this.images += ends.images;
    this.sameTop1 += ends.sameTop1;
    this.distance = Math.max(this.distance, ends.relative);
  }

  toString(): string {
    const { networks, layers, values, clear, near, nearFlipped, images, sameTop1 } = this;
    return (
      `${networks} networks, ${layers} layers, ${values} values: largest difference ${this.worst.toExponential(1)} of the ` +
      `layer's largest; signs: ${clear} clear and equal, ${near} near a threshold (${nearFlipped} flipped); end to end: ` +
      `${sameTop1} of ${images} top-1 equal, logits within ${this.distance.toExponential(1)}`
    );
  }
}

/** Throws unless every layer is equal. */
export function assertEqual(name: string, { nodes, instructions }: Gate, graph: Graph): void {
  assert.equal(nodes.length, graph.nodes.length - 1, `${name}: a node was not compared`);
  assert.ok(instructions.length > 0);
  for (const layer of [...nodes, ...instructions]) {
    const { verdict, innerSigns, relative, signs, hint } = layer;
    assert.equal(verdict, 'equal', `${name}: ${layer.nodes.join(' ')}: ${JSON.stringify({ relative, signs, hint })}`);
    assert.equal(innerSigns, 0);
  }
}
