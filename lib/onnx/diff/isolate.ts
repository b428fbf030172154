/** One layer as a network of its own. */
import { type Executor, compile } from '../../executor.js';
import { graphFromJson, graphToJson } from '../../graph/index.js';
import type { Graph, Node, Shape, Value } from '../../graph/types.js';
import { type Params, Tensor } from '../../tensor.js';
import type { Layer } from './layers.js';

/** Maps [N, C, H, W] by value id, as another engine computed them: float32, activations as numbers. */
export type Maps = ReadonlyMap<number, Float32Array>;

/**
 * What `layer` gives for the other engine's `maps`: [N, C, H, W], activations as numbers.
 *
 * An executor takes one float map and returns float maps. So several inputs are laid beside each other, as channels of one
 * canvas, and taken out again by 1×1 convolutions of a single 1 a filter, which are exact (x · 1 + 0 · …) for finite values;
 * activations go in as numbers through the op that makes them, which is exact too, and come out through a 1-bit convolution.
 */
export async function runLayer(
  graph: Graph,
  params: Params,
  layer: Layer,
  maps: Maps,
  count: number,
  threads: number,
): Promise<Float32Array> {
  const isolated = isolate(graph, params, layer);
  using executor: Executor = await compile(isolated.graph, isolated.params, { threads });
  const outputs = await executor.run(isolated.canvas.fill(maps, count));
  return (outputs['out'] as Tensor<'float32'>).data;
}

const NAME = 'bitpath:';
/** The op that gives back what a map has in numbers. */
const ACTIVATIONS = { bit: 'sign', bit01: 'heaviside', ternary: 'ternary' } as const;
/** Nodes of a graph, as JSON has them. */
type Json = { op: string; name: string; inputs: string[]; attrs?: object }[];

function isolate(graph: Graph, params: Params, { nodes, inputs, output }: Layer) {
  const value = (id: number) => graph.values[id] as Value;
  const canvas = new Canvas(inputs.map((id) => ({ id, shape: value(id).shape })));
  const added = new Map<string, Tensor>();
  const json: Json = [{ op: 'input', name: `${NAME}in`, inputs: [], attrs: canvas.shape }];
  const names = new Map<number, string>(graph.nodes.map((node) => [node.output, node.name]));
  for (const place of canvas.places) {
    let name = `${NAME}in`;
    if (canvas.places.length > 1) {
      const select = `${NAME}select.${place.id}`;
      const { kernel, stride } = place;
      const attrs = { outChannels: place.shape.channels, kernel, stride, bias: false };
      json.push({ op: 'conv', name: select, inputs: [name], attrs });
      added.set(`${select}.weight`, canvas.selection(place));
      name = select;
    }
    const { type, shape } = value(place.id);
    if (type !== 'float32') {
      const op = ACTIVATIONS[type];
      const activation = `${NAME}${op}.${place.id}`;
      json.push({ op, name: activation, inputs: [name], ...(op === 'ternary' ? {} : { attrs: { threshold: true } }) });
      const half = new Float32Array(shape.channels).fill(0.5); // none of the activations' values
      added.set(`${activation}.threshold`, new Tensor('float32', [shape.channels], half));
      name = activation;
    }
    names.set(place.id, name);
  }
  const all = graphToJson(graph).nodes;
  const own = new Map(graph.nodes.map((node, i) => [node, all[i]]));
  for (const node of nodes) {
    json.push({ ...own.get(node), inputs: node.inputs.map((id) => names.get(id)) } as Json[number]);
    for (const { name } of Object.values(node.params)) added.set(name, params.get(name) as Tensor);
  }
  let last = names.get(output) as string;
  const { type, shape } = value(output);
  if (type === 'ternary') last = ternaryProbe(json, added, last, shape.channels);
  else if (type !== 'float32') {
    const { channels } = shape;
    const probe = `${NAME}probe`;
    json.push({
      op: 'binaryConv',
      name: probe,
      inputs: [last],
      attrs: { outChannels: channels, kernel: 1, groups: channels },
    });
    added.set(`${probe}.bits`, new Tensor('uint8', [channels, 1], new Uint8Array(channels).fill(1)));
    last = probe;
  }
  const result = { version: 1, name: 'layer', nodes: json, outputs: [{ name: 'out', value: last }] };
  return { graph: graphFromJson(result), params: added, canvas };
}

/**
 * Numbers of a ternary map, of which a 1-bit convolution reads all channels: y of one channel is half of the sum of all and of
 * the sum in which the others count as −1.
 */
function ternaryProbe(json: Json, added: Map<string, Tensor>, ternary: string, channels: number): string {
  const rowBytes = Math.ceil(channels / 8);
  const rows = { all: () => true, one: (o: number, i: number) => o === i };
  const [all, one] = Object.entries(rows).map(([part, isPlus]) => {
    const name = `${NAME}probe.${part}`;
    const bits = new Uint8Array(channels * rowBytes);
    for (let o = 0; o < channels; o++) {
      for (let i = 0; i < channels; i++) {
        const at = o * rowBytes + (i >> 3);
        if (isPlus(o, i)) bits[at] = (bits[at] as number) | (1 << (i & 7));
      }
    }
    json.push({ op: 'binaryConv', name, inputs: [ternary], attrs: { outChannels: channels, kernel: 1 } });
    added.set(`${name}.bits`, new Tensor('uint8', [channels, rowBytes], bits));
    return name;
  });
  json.push({ op: 'add', name: `${NAME}probe.sum`, inputs: [all as string, one as string] });
  json.push({ op: 'scale', name: `${NAME}probe`, inputs: [`${NAME}probe.sum`], attrs: { factor: 0.5 } });
  return `${NAME}probe`;
}

interface Place {
  readonly id: number;
  readonly shape: Shape;
  /** First channel on the canvas. */
  readonly channel: number;
  /** Of the convolution that reads the map: its pixels lie `stride` apart. */
  readonly kernel: Node<'conv'>['attrs']['kernel'];
  readonly stride: Node<'conv'>['attrs']['stride'];
}

/** Several maps in one. Smaller ones are spread out so that a strided convolution gives their size. */
class Canvas {
  readonly shape: Shape;
  readonly places: readonly Place[];

  constructor(maps: readonly { readonly id: number; readonly shape: Shape }[]) {
    const height = Math.max(...maps.map(({ shape }) => shape.height));
    const width = Math.max(...maps.map(({ shape }) => shape.width));
    let channels = 0;
    this.places = maps.map(({ id, shape }) => {
      const rows = spread(height, shape.height);
      const columns = spread(width, shape.width);
      const channel = channels;
      channels += shape.channels;
      return { id, shape, channel, kernel: [rows.kernel, columns.kernel], stride: [rows.stride, columns.stride] };
    });
    this.shape = { channels, height, width };
  }

  fill(maps: Maps, count: number): Float32Array {
    const { channels, height, width } = this.shape;
    const [first] = this.places;
    if (this.places.length === 1) return maps.get(first?.id ?? -1) as Float32Array;
    const canvas = new Float32Array(count * channels * height * width);
    for (const { id, shape, channel, stride } of this.places) {
      const map = maps.get(id) as Float32Array;
      let at = 0;
      for (let n = 0; n < count; n++) {
        for (let c = 0; c < shape.channels; c++) {
          for (let y = 0; y < shape.height; y++) {
            const row = ((n * channels + channel + c) * height + y * stride[0]) * width;
            for (let x = 0; x < shape.width; x++) canvas[row + x * stride[1]] = map[at++] as number;
          }
        }
      }
    }
    return canvas;
  }

  /** Weights [C, channels of the canvas, kh, kw] that take `place` out of it. */
  selection({ shape, channel, kernel: [kh, kw] }: Place): Tensor<'float32'> {
    const { channels } = this.shape;
    const weights = new Float32Array(shape.channels * channels * kh * kw);
    for (let c = 0; c < shape.channels; c++) weights[(c * channels + channel + c) * kh * kw] = 1;
    return new Tensor('float32', [shape.channels, channels, kh, kw], weights);
  }
}

/** Stride and kernel with which a window over `size` gives exactly `count` positions: (size − kernel) / stride + 1. */
function spread(size: number, count: number): { stride: number; kernel: number } {
  if (count === 1) return { stride: size, kernel: 1 };
  const stride = Math.floor((size - 1) / (count - 1));
  const fits = Math.floor((size - 1) / stride) + 1 === count;
  return { stride, kernel: fits ? 1 : size - (count - 1) * stride };
}
