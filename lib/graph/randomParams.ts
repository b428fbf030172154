/**
 * Random parameters under which a network behaves like a trained one: every BatchNorm finds roughly the mean and variance
 * that it expects, so signs stay mixed and magnitudes bounded through any depth. (With arbitrary statistics the signs after
 * a ReLU are all +1, and an engine with swapped pixels gives the right answer.)
 *
 * To that end, mean and variance of each channel are carried through the graph for input of mean 0 and variance 1, as if
 * taps were independent and borders far away.
 */
import { checkInteger } from '../check.js';
import { elementCount, type Params, Tensor } from '../tensor.js';
import { checkGraph } from './builder.js';
import { storedAs } from './params.js';
import { Random } from './random.js';
import type { AnyNode, ConvAttrs, Graph, Node, ParamSpec } from './types.js';

/** Expected mean and variance of each channel. */
interface Moments {
  readonly mean: Float64Array;
  readonly variance: Float64Array;
}

/**
 * Deterministic parameters for `graph`: the same for the same `seed` (an integer ≥ 0) on every machine; a parameter's
 * values depend on seed, name and the layers before it.
 */
export function randomParams(graph: Graph, seed = 0): Params {
  checkGraph('graph', graph);
  checkInteger('seed', seed, 0, Number.MAX_SAFE_INTEGER);
  const params = new Map<string, Tensor>();
  const moments: Moments[] = [];
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((id) => moments[id] as Moments); // topological order
    moments[node.output] = step(graph, node, inputs, (role, draw) => {
      const tensor = fill(node.params[role] as ParamSpec, seed, draw);
      params.set((node.params[role] as ParamSpec).name, tensor);
      return tensor.data as Float32Array;
    });
  }
  return params;
}

type Draw = (random: Random, index: number) => number;
/** Makes the parameter of a role, element by element. */
type Make = (role: string, draw: Draw) => Float32Array;

function fill(spec: ParamSpec, seed: number, draw: Draw): Tensor {
  const random = new Random(seed, spec.name);
  const { dtype, shape } = storedAs(spec);
  if (dtype === 'uint8') return new Tensor('uint8', shape, randomBits(spec, random));
  return new Tensor(
    'float32',
    shape,
    Float32Array.from({ length: elementCount(shape) }, (_, i) => draw(random, i)),
  );
}

function randomBits(spec: ParamSpec, random: Random): Uint8Array {
  const [outputs = 0, ...taps] = spec.shape;
  const tapBits = elementCount(taps);
  const rowBytes = Math.ceil(tapBits / 8);
  const bytes = Uint8Array.from({ length: outputs * rowBytes }, () => random.uint32() >>> 24);
  if (tapBits % 8 !== 0) {
    for (let end = rowBytes - 1; end < bytes.length; end += rowBytes)
      bytes[end] = (bytes[end] ?? 0) & (0xff >> (8 - (tapBits % 8)));
  }
  return bytes;
}

const bias: Draw = (random) => random.uniform(-0.1, 0.1);
const nearOne: Draw = (random) => random.uniform(0.9, 1.1);

/** Makes the parameters of `node` and returns the moments of its output. */
function step(graph: Graph, node: AnyNode, inputs: readonly Moments[], make: Make): Moments {
  const { channels, height, width } = (graph.values[node.inputs[0] ?? node.output] as Graph['values'][number]).shape;
  const x = inputs[0] ?? constant(channels, 0, 1);
  switch (node.op) {
    case 'input':
      return x;
    case 'sign':
      if (node.attrs.threshold)
        make('threshold', (random, c) => at(x.mean, c) + deviation(x, c) * random.uniform(-0.1, 0.1));
      return constant(channels, 0, 1);
    case 'binaryConv': {
      const { outChannels, kernel, groups, scale } = node.attrs;
      const taps = (kernel[0] * kernel[1] * channels) / groups;
      make('bits', () => 0);
      if (!scale) return constant(outChannels, 0, taps);
      const factors = make('scale', (random) => random.uniform(0.5, 1.5) / Math.sqrt(taps));
      return map(
        outChannels,
        () => 0,
        (o) => at(factors, o) ** 2 * taps,
      );
    }
    case 'conv':
      return convolve(x, node.attrs, node.attrs.bias, make);
    case 'linear': {
      const attrs = { outChannels: node.attrs.outFeatures, kernel: [1, 1], groups: 1 } as const;
      return convolve(x, attrs, node.attrs.bias, make);
    }
    case 'batchNorm': {
      const weight = make('weight', nearOne);
      const rise = Math.max(
        0,
        ...readersOf(graph, node).map((reader) => (reader.op === 'maxPool' ? poolRise(reader) : 0)),
      );
      const shift = make('bias', (random, c) => random.uniform(-0.1, 0.1) - rise * at(weight, c)); // centred after the pool
      const mean = make('running_mean', (random, c) => at(x.mean, c) + deviation(x, c) * random.uniform(-0.1, 0.1));
      const variance = make('running_var', (random, c) => at(x.variance, c) * random.uniform(0.5, 1.5));
      const gain = (c: number) => at(weight, c) / Math.sqrt(at(variance, c) + node.attrs.eps);
      return map(
        channels,
        (c) => (at(x.mean, c) - at(mean, c)) * gain(c) + at(shift, c),
        (c) => at(x.variance, c) * gain(c) ** 2,
      );
    }
    case 'add':
      return map(
        channels,
        (c) => inputs.reduce((sum, input) => sum + at(input.mean, c), 0),
        (c) => inputs.reduce((sum, input) => sum + at(input.variance, c), 0),
      );
    case 'concat':
      return {
        mean: Float64Array.from(inputs.flatMap(({ mean }) => [...mean])),
        variance: Float64Array.from(inputs.flatMap(({ variance }) => [...variance])),
      };
    case 'scale': {
      const { factor } = node.attrs;
      return map(
        channels,
        (c) => at(x.mean, c) * factor,
        (c) => at(x.variance, c) * factor ** 2,
      );
    }
    case 'hardtanh': {
      const { min, max } = node.attrs;
      return map(
        channels,
        (c) => Math.max(min, Math.min(max, at(x.mean, c))),
        (c) => Math.min(at(x.variance, c), ((max - min) / 2) ** 2),
      );
    }
    case 'relu':
      return rectify(x, () => 0);
    case 'prelu': {
      const slopes = make('weight', (random) => random.uniform(0.1, 0.4));
      return rectify(x, (c) => at(slopes, c));
    }
    case 'maxPool': {
      const taps = node.attrs.kernel[0] * node.attrs.kernel[1];
      const rise = poolRise(node);
      return map(
        channels,
        (c) => at(x.mean, c) + rise * deviation(x, c),
        (c) => at(x.variance, c) / Math.sqrt(taps),
      );
    }
    case 'avgPool':
      return average(x, node.attrs.kernel[0] * node.attrs.kernel[1]);
    case 'globalAvgPool':
      return average(x, height * width);
  }
}

/** By how many standard deviations a max pool lifts the mean: about √n / 2 for n taps (1.03 for 4, 1.49 for 9). */
function poolRise({ attrs: { kernel } }: Node<'maxPool'>): number {
  const taps = kernel[0] * kernel[1];
  return taps === 1 ? 0 : Math.min(Math.sqrt(taps) / 2, 2.5);
}
function readersOf(graph: Graph, { output }: Node): readonly AnyNode[] {
  return graph.nodes.filter((node) => node.inputs.includes(output));
}

/** He-normal weights: variance 2 / fan-in. */
function convolve(
  x: Moments,
  { outChannels, kernel, groups }: Pick<ConvAttrs, 'outChannels' | 'kernel' | 'groups'>,
  hasBias: boolean,
  make: Make,
): Moments {
  const area = kernel[0] * kernel[1];
  const inPerGroup = x.mean.length / groups;
  const spread = Math.sqrt(2 / (area * inPerGroup));
  const weight = make('weight', (random) => random.normal() * spread);
  const shift = hasBias ? make('bias', bias) : undefined;
  const mean = new Float64Array(outChannels);
  const variance = new Float64Array(outChannels);
  for (let o = 0; o < outChannels; o++) {
    const group = Math.floor(o / (outChannels / groups));
    mean[o] = shift === undefined ? 0 : at(shift, o);
    for (let i = 0; i < inPerGroup; i++) {
      const c = group * inPerGroup + i;
      for (let tap = 0; tap < area; tap++) {
        const w = at(weight, (o * inPerGroup + i) * area + tap);
        mean[o] = at(mean, o) + w * at(x.mean, c);
        variance[o] = at(variance, o) + w * w * at(x.variance, c);
      }
    }
  }
  return { mean, variance };
}

/** Moments of x < 0 ? slope·x : x, by smooth curves that are right for a mean of 0 and of ±∞ standard deviations. */
function rectify(x: Moments, slope: (c: number) => number): Moments {
  const positivePart = (c: number) => at(x.mean, c) / 2 + Math.sqrt(at(x.mean, c) ** 2 / 4 + 0.16 * at(x.variance, c));
  const positiveShare = (c: number) => {
    const reach = Math.sqrt(at(x.mean, c) ** 2 + 0.6 * at(x.variance, c));
    return reach === 0 ? 0.5 : (1 + at(x.mean, c) / reach) / 2;
  };
  return map(
    x.mean.length,
    (c) => slope(c) * at(x.mean, c) + (1 - slope(c)) * positivePart(c),
    (c) => at(x.variance, c) * (slope(c) + (1 - slope(c)) * positiveShare(c) * (0.36 + 0.64 * positiveShare(c))),
  );
}

/** Neighbours in a map resemble each other, so the variance of a mean falls more slowly than by the number of taps. */
function average(x: Moments, taps: number): Moments {
  return map(
    x.mean.length,
    (c) => at(x.mean, c),
    (c) => at(x.variance, c) / Math.sqrt(taps),
  );
}

function constant(channels: number, mean: number, variance: number): Moments {
  return map(
    channels,
    () => mean,
    () => variance,
  );
}
function map(channels: number, mean: (c: number) => number, variance: (c: number) => number): Moments {
  return {
    mean: Float64Array.from({ length: channels }, (_, c) => mean(c)),
    variance: Float64Array.from({ length: channels }, (_, c) => variance(c)),
  };
}
function at(array: Float32Array | Float64Array, index: number): number {
  return array[index] as number;
}
function deviation(x: Moments, c: number): number {
  return Math.sqrt(at(x.variance, c));
}
