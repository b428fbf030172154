/**
 * Random parameters under which a network behaves like a trained one: every BatchNorm finds roughly the mean and variance
 * that it expects, so signs stay mixed and magnitudes bounded through any depth. (With arbitrary statistics the signs after
 * a ReLU are all +1, and an engine with swapped pixels gives the right answer.)
 *
 * To that end, mean and variance of each channel are carried through the graph for input of mean 0 and variance 1, as if
 * taps were independent and borders far away.
 */
import { checkInteger } from '../check.js';
import { elementCount, type Params, Tensor, type TensorData } from '../tensor.js';
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
 *
 * @throws `ERR_BITPATH_ARGUMENT`
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
      return tensor.data;
    });
  }
  return params;
}

type Draw = (random: Random, index: number) => number;
/** Makes the parameter of a role, element by element. */
type Make = (role: string, draw: Draw) => TensorData;

function fill(spec: ParamSpec, seed: number, draw: Draw): Tensor {
  const random = new Random(seed, spec.name);
  const { dtype, shape } = storedAs(spec);
  if (dtype === 'uint8') return new Tensor('uint8', shape, randomBits(spec, random));
  const elements = Array.from({ length: elementCount(shape) }, (_, i) => draw(random, i));
  return dtype === 'int32'
    ? new Tensor(dtype, shape, Int32Array.from(elements))
    : new Tensor(dtype, shape, Float32Array.from(elements));
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

/** A channel of zeros has a variance too, or a BatchNorm with eps 0 would divide by it. */
const SMALLEST = 2 ** -40;

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
    case 'heaviside':
      if (node.attrs.threshold)
        make('threshold', (random, c) => at(x.mean, c) + deviation(x, c) * random.uniform(-0.1, 0.1));
      return constant(channels, 0.5, 0.25);
    case 'ternary': // of a normal distribution, 62 % lie outside half a standard deviation
      make('threshold', (random, c) => deviation(x, c) * random.uniform(0.4, 0.6));
      return constant(channels, 0, 0.62);
    case 'binaryConv':
    case 'binaryWeightConv':
      return convolveBits(x, node.attrs, make);
    case 'bias': {
      const shift = make('bias', bias);
      return map(
        channels,
        (c) => at(x.mean, c) + at(shift, c),
        (c) => at(x.variance, c),
      );
    }
    case 'mul': {
      const [a, b] = inputs as [Moments, Moments];
      return map(
        channels,
        (c) => bounded(at(a.mean, c) * ofAll(b.mean, c)),
        (c) => product(at(a.variance, c), at(a.mean, c), ofAll(b.variance, c), ofAll(b.mean, c)),
      );
    }
    case 'rank1Scale': {
      const alpha = make('alpha', (random, c) => random.uniform(0.5, 1.5) / Math.max(deviation(x, c), 1e-3));
      make('beta', nearOne);
      make('gamma', nearOne);
      return map(
        channels,
        (c) => at(x.mean, c) * at(alpha, c),
        (c) => at(x.variance, c) * at(alpha, c) ** 2,
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
      const variance = make('running_var', (random, c) =>
        Math.max(at(x.variance, c) * random.uniform(0.5, 1.5), SMALLEST),
      );
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
        (c) => bounded(inputs.reduce((sum, input) => sum + ofAll(input.mean, c), 0)),
        (c) => bounded(inputs.reduce((sum, input) => sum + ofAll(input.variance, c), 0)),
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
    case 'abs': {
      const { mean } = rectify(x, () => -1);
      const variance = (c: number) => at(x.variance, c) + at(x.mean, c) ** 2 - at(mean, c) ** 2; // E|x|² − (E|x|)²
      return { mean, variance: mean.map((_, c) => Math.max(variance(c), 0.1 * at(x.variance, c))) };
    }
    case 'sigmoid':
      return map(
        channels,
        (c) => 1 / (1 + Math.exp(-at(x.mean, c))),
        (c) => Math.min(0.2, at(x.variance, c) / 16),
      );
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
    case 'channelMean':
      return map(
        1,
        () => x.mean.reduce((sum, mean) => sum + mean, 0) / channels,
        () => x.variance.reduce((sum, variance) => sum + variance, 0) / channels / Math.sqrt(channels),
      );
    case 'slice': {
      const { from, channels: count } = node.attrs;
      return { mean: x.mean.slice(from, from + count), variance: x.variance.slice(from, from + count) };
    }
    case 'padChannels': {
      const padded = (values: Float64Array) => {
        const result = new Float64Array(node.attrs.before + channels + node.attrs.after);
        result.set(values, node.attrs.before);
        return result;
      };
      return { mean: padded(x.mean), variance: padded(x.variance) };
    }
    case 'channelInteraction':
      make('pairs', (random, i) => (i % 3 < 2 ? random.uint32() % channels : (random.uint32() % 2) * 2 - 1));
      return x;
  }
}

/** By weights of ±1 at random, of activations that are known by their moments. */
function convolveBits(
  x: Moments,
  { outChannels, kernel, groups, scale }: ConvAttrs & { readonly scale: boolean },
  make: Make,
): Moments {
  const channels = x.mean.length;
  const taps = (kernel[0] * kernel[1] * channels) / groups;
  const mean = x.mean.reduce((sum, m) => sum + m, 0) / channels;
  const variance = x.variance.reduce((sum, v) => sum + v, 0) / channels;
  const bits = make('bits', () => 0) as Uint8Array;
  const rowBytes = Math.ceil(taps / 8);
  const sums = Array.from({ length: outChannels }, (_, o) => 2 * ones(bits, o * rowBytes, rowBytes) - taps);
  const spread = Math.sqrt(taps * Math.max(variance + mean ** 2, 1e-3));
  const factors = scale ? make('scale', (random) => random.uniform(0.5, 1.5) / spread) : undefined;
  const factor = (o: number) => (factors === undefined ? 1 : at(factors, o));
  return map(
    outChannels,
    (o) => bounded(mean * (sums[o] as number) * factor(o)),
    (o) => bounded(variance * taps * factor(o) ** 2),
  );
}
function ones(bytes: Uint8Array, from: number, count: number): number {
  let sum = 0;
  for (let i = from; i < from + count; i++) for (let byte = bytes[i] as number; byte !== 0; byte &= byte - 1) sum++;
  return sum;
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
/** Variance of a product of independent variables. */
function product(variance: number, mean: number, otherVariance: number, otherMean: number): number {
  return bounded(variance * otherVariance + variance * otherMean ** 2 + otherVariance * mean ** 2);
}
/** Powers of powers stay numbers whose squares are float32. */
function bounded(moment: number): number {
  return Math.max(-1e18, Math.min(moment, 1e18));
}
function at(array: TensorData | Float64Array, index: number): number {
  return array[index] as number;
}
/** Of a channel, or of the one that stands for all. */
function ofAll(array: Float64Array, index: number): number {
  return at(array, array.length === 1 ? 0 : index);
}
function deviation(x: Moments, c: number): number {
  return Math.sqrt(at(x.variance, c));
}
