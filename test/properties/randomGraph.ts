/** Random small graphs for property tests: a graph is made from a list of steps, so that fast-check can shrink it by leaving steps out. */
import { BitpathError, type Graph, GraphBuilder, type Params, randomParams, Tensor, type Value } from 'bitpath';
import fc from 'fast-check';

export const STEP_OPS = [
  'binaryConv',
  'binaryConv',
  'binaryConv',
  'unit',
  'unit',
  'denseUnit',
  'denseStage',
  'conv',
  'linear',
  'batchNorm',
  'add',
  'add',
  'concat',
  'concat',
  'scale',
  'relu',
  'prelu',
  'hardtanh',
  'maxPool',
  'avgPool',
  'globalAvgPool',
  'activations',
  'activations',
  'broadcast',
  'broadcast',
  'gate',
  'binaryWeightConv',
  'bias',
  'rank1Scale',
  'abs',
  'sigmoid',
  'channelMean',
  'slice',
  'slice',
  'padChannels',
  'channelInteraction',
] as const;

export interface Recipe {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly steps: readonly { readonly op: (typeof STEP_OPS)[number]; readonly seed: number }[];
  readonly outputs: readonly number[];
  readonly seed: number;
}

const size = fc.integer({ min: 1, max: 9 });
export const recipe: fc.Arbitrary<Recipe> = fc.record({
  channels: fc.constantFrom(1, 2, 3, 5, 8, 12, 17, 33, 41, 64, 66),
  height: size,
  width: size,
  steps: fc.array(fc.record({ op: fc.constantFrom(...STEP_OPS), seed: fc.nat(0xffffff) }), {
    minLength: 1,
    maxLength: 14,
  }),
  outputs: fc.array(fc.nat(0xffff), { maxLength: 3 }),
  seed: fc.nat(0xffff),
});

/** xorshift32; `pick(n)` is an integer in [0, n). */
export class Picker {
  #state: number;
  constructor(seed: number) {
    this.#state = (seed * 2654435761 + 88172645) | 0 || 1;
    for (let i = 0; i < 4; i++) this.pick(2);
  }
  pick(count: number): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return (x >>> 0) % count;
  }
  of<T>(list: readonly T[]): T {
    return list[this.pick(list.length)] as T;
  }
}

const MAX_CHANNELS = 150;

export function buildGraph({ channels, height, width, steps, outputs }: Recipe): Graph {
  const builder = new GraphBuilder('random');
  const values: Value[] = [builder.input({ channels, height, width })];
  for (const { op, seed } of steps) {
    try {
      const value = takeStep(builder, op, values, new Picker(seed));
      if (value.shape.channels <= MAX_CHANNELS) values.push(value);
    } catch (error) {
      // A window that does not fit: the step is left out.
      if (!(error instanceof BitpathError && /SHAPE|ARGUMENT/.test(error.code))) throw error;
    }
  }
  builder.output('last', values.at(-1) as Value);
  for (const [i, index] of outputs.entries()) builder.output(`output${i}`, values[index % values.length] as Value);
  return builder.build();
}

function takeStep(b: GraphBuilder, op: Recipe['steps'][number]['op'], values: readonly Value[], random: Picker): Value {
  const any = () => random.of(random.pick(3) > 0 ? values.slice(-3) : values);
  const x = any();
  const sameMap = values.filter((v) => v.shape.height === x.shape.height && v.shape.width === x.shape.width);
  const sameShape = sameMap.filter((v) => v.shape.channels === x.shape.channels);
  switch (op) {
    case 'binaryConv':
      return b.binaryConv(b.sign(x, { threshold: random.pick(4) === 0 }), binaryConvOptions(x, random));
    case 'unit': {
      const u = b.batchNorm(b.binaryConv(b.sign(x), sameSizeConv(x.shape.channels, random)));
      const y = b.add(random.of(sameShape), u);
      return random.pick(2) === 0 ? y : b.scale(y, { factor: 0.5 });
    }
    case 'denseUnit': {
      const bits = b.sign(b.batchNorm(x), { threshold: random.pick(3) === 0 });
      return b.concat([x, b.binaryConv(bits, sameSizeConv(1 + random.pick(9), random))]);
    }
    case 'denseStage': {
      const { height, width } = x.shape;
      const kernel = [1 + (height % 2), 1 + (width % 2)] as const; // makes odd sizes even
      let y = kernel[0] * kernel[1] === 1 ? x : b.avgPool(x, { kernel, stride: 1 });
      for (let layers = 1 + random.pick(3); layers > 0; layers--) {
        y = b.concat([y, b.binaryConv(b.sign(b.batchNorm(y)), sameSizeConv(1 + random.pick(20), random))]);
      }
      const pooled = b.maxPool(random.pick(3) === 0 ? y : b.batchNorm(y), { kernel: 2 });
      const active = random.pick(2) === 0 ? b.relu(pooled) : pooled;
      return random.pick(4) === 0 ? active : b.conv(active, { kernel: 1, outChannels: 1 + random.pick(20) });
    }
    case 'conv':
      return b.conv(x, { ...convOptions(x, random), bias: random.pick(2) === 0 });
    case 'linear': {
      const pooled = x.shape.height * x.shape.width === 1 ? x : b.globalAvgPool(x);
      return b.linear(pooled, { outFeatures: 1 + random.pick(20), bias: random.pick(2) === 0 });
    }
    case 'batchNorm':
      return b.batchNorm(x);
    case 'add':
      return b.add(x, random.of(sameShape));
    case 'concat':
      return b.concat([x, ...Array.from({ length: random.pick(4) }, () => random.of(sameMap))]);
    case 'scale':
      return b.scale(x, { factor: Math.fround(random.of([0.5, -1.25, 3, 1 / 3])) });
    case 'relu':
      return b.relu(x);
    case 'prelu':
      return b.prelu(x);
    case 'hardtanh':
      return b.hardtanh(x, random.of([{}, { min: 0, max: 6 }, { min: -0.25, max: 2 }]));
    case 'maxPool':
      return b.maxPool(x, poolOptions(random));
    case 'avgPool':
      return b.avgPool(x, { ...poolOptions(random), countIncludePad: random.pick(2) === 0 });
    case 'globalAvgPool':
      return b.globalAvgPool(x);
    case 'activations': {
      const y = random.pick(3) === 0 ? b.batchNorm(x) : x;
      const bits = random.pick(2) === 0 ? b.heaviside(y, { threshold: random.pick(2) === 0 }) : b.ternary(y);
      return b.binaryConv(bits, binaryConvOptions(x, random));
    }
    case 'broadcast': {
      const pooled = random.pick(2) === 0 ? b.globalAvgPool(x) : x;
      const operand = random.pick(2) === 0 ? b.channelMean(pooled) : pooled;
      return random.pick(2) === 0 ? b.add(x, operand) : b.mul(x, operand);
    }
    case 'gate': {
      const { channels } = x.shape;
      const squeezed = b.relu(b.linear(b.globalAvgPool(x), { outFeatures: 1 + random.pick(6), bias: false }));
      return b.mul(x, b.sigmoid(b.linear(squeezed, { outFeatures: channels, bias: false })));
    }
    case 'binaryWeightConv':
      return b.binaryWeightConv(x, { ...convOptions(x, random), scale: random.pick(2) === 0 });
    case 'bias':
      return b.bias(x);
    case 'rank1Scale':
      return b.rank1Scale(x);
    case 'abs':
      return b.abs(x);
    case 'sigmoid':
      return b.sigmoid(x);
    case 'channelMean':
      return b.channelMean(x);
    case 'slice': {
      const from = random.pick(x.shape.channels);
      return b.slice(x, { from, channels: 1 + random.pick(x.shape.channels - from) });
    }
    case 'padChannels':
      return b.padChannels(x, { before: random.pick(3), after: random.pick(4) === 0 ? 60 : random.pick(9) });
    case 'channelInteraction':
      return b.channelInteraction(x, { pairs: 1 + random.pick(12), threshold: 0.5, step: 0.75 });
  }
}

const pair = (random: Picker, sizes: readonly number[]) => [random.of(sizes), random.of(sizes)] as const;
const sides = (random: Picker, most: number) =>
  [random.pick(most), random.pick(most), random.pick(most), random.pick(most)] as const;

function convOptions(x: Value, random: Picker) {
  const divisors = [1, 2, 3, 4, 11, x.shape.channels].filter((g) => x.shape.channels % g === 0);
  const groups = random.pick(3) === 0 ? random.of(divisors) : 1;
  return {
    outChannels: groups * (1 + random.pick(Math.ceil(40 / groups))),
    kernel: pair(random, [1, 1, 2, 3, 3, 5]),
    stride: pair(random, [1, 1, 2, 3]),
    padding: random.pick(2) === 0 ? 1 : sides(random, 3),
    dilation: pair(random, [1, 1, 2]),
    groups,
  };
}
function binaryConvOptions(x: Value, random: Picker) {
  return { ...convOptions(x, random), padValue: random.of([0, 0, 1, -1] as const), scale: random.pick(2) === 0 };
}
function sameSizeConv(outChannels: number, random: Picker) {
  const radius = random.pick(2);
  return {
    outChannels,
    kernel: 2 * radius + 1,
    padding: radius,
    padValue: random.of([0, 0, 1, -1] as const),
    scale: random.pick(2) === 0,
  };
}
function poolOptions(random: Picker) {
  const kernel = pair(random, [1, 2, 2, 3]);
  return {
    kernel,
    stride: pair(random, [1, 2]),
    padding: [random.pick(kernel[0]), random.pick(kernel[1]), random.pick(kernel[0]), random.pick(kernel[1])] as const,
  };
}

/** Parameters under which signs are mixed, with some BatchNorm weights negative and, in some channels of some layers, 0. */
export function roughParams(graph: Graph, seed: number): Params {
  const random = new Picker(seed + 1);
  const params = new Map(randomParams(graph, seed));
  for (const node of graph.nodes) {
    if (node.op !== 'batchNorm') continue;
    const name = node.params['weight']?.name ?? '';
    const { shape, data } = params.get(name) as Tensor<'float32'>;
    const zeros = random.pick(4) === 0;
    const rough = data.map((w) => (zeros && random.pick(8) === 0 ? 0 : random.pick(3) === 0 ? -w : w));
    params.set(name, new Tensor('float32', shape, rough));
  }
  return params;
}

/** Values around 0 and of all magnitudes; with `special`, also infinities, NaN, −0 and subnormals. */
export function roughInput(length: number, seed: number, special: boolean): Float32Array {
  const random = new Picker(seed + 2);
  const rare = [0, -0, Infinity, -Infinity, NaN, 1e-42, -1e-45, 3e38, -3e38];
  return Float32Array.from({ length }, () => {
    if (special && random.pick(40) === 0) return random.of(rare);
    if (random.pick(20) === 0) return 0;
    return (random.pick(2001) - 1000) / 500;
  });
}
