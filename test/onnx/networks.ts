/** Small networks for each op of the later ones, where its mistakes show: odd sizes, groups, borders, values on both sides. */
import { type Graph, GraphBuilder, type Params, Tensor, type Value } from 'bitpath';
import { Picker, roughParams } from '../properties/randomGraph.js';
import type { Network } from './oracle.js';

type Make = (b: GraphBuilder, x: Value) => Record<string, Value>;
interface Case {
  readonly input: readonly [channels: number, height: number, width: number];
  readonly make: Make;
  /** Changes the random parameters. */
  readonly adjust?: (params: Map<string, Tensor>, graph: Graph) => void;
}

const window = { kernel: [3, 2], stride: [1, 2], padding: [1, 0, 2, 1], dilation: [2, 1] } as const;

const CASES: Record<string, Case> = {
  heaviside: {
    input: [6, 7, 5],
    make(b, x) {
      const plain = b.heaviside(x, { name: 'plain' });
      const each = b.heaviside(x, { name: 'each', threshold: true });
      return {
        zeros: b.binaryConv(plain, { ...window, outChannels: 4, groups: 2, scale: true }),
        each: b.binaryConv(each, { ...window, outChannels: 5 }),
        both: b.binaryConv(each, { outChannels: 3, kernel: 1, scale: true }),
      };
    },
  },
  ternary: {
    input: [6, 7, 5],
    make(b, x) {
      const y = b.ternary(x, { name: 't' });
      return {
        zeros: b.binaryConv(y, { ...window, outChannels: 4, scale: true }),
        plain: b.binaryConv(y, { outChannels: 3, kernel: 3, padding: 1 }),
      };
    },
    // 0 and 0.5 lie on values of the input; below the smallest nothing is 0.
    adjust: (params) => setFloats(params, 't.threshold', [0, 0.5, 1, 0.25, 1e-3, 3]),
  },
  binaryWeightConv: {
    input: [6, 7, 5],
    make: (b, x) => ({
      plain: b.binaryWeightConv(x, { ...window, outChannels: 5 }),
      grouped: b.binaryWeightConv(x, { ...window, outChannels: 9, groups: 3, scale: true }),
      depthwise: b.binaryWeightConv(x, { outChannels: 6, kernel: 1, groups: 6, stride: 2 }),
    }),
  },
  broadcasts: {
    input: [5, 4, 3],
    make(b, x) {
      const row = b.globalAvgPool(x);
      const map = b.channelMean(x);
      const one = b.globalAvgPool(map);
      const all = { row, map, one, same: b.abs(x) };
      return Object.fromEntries(
        Object.entries(all).flatMap(([name, y]) => [
          [`add_${name}`, b.add(x, y)],
          [`mul_${name}`, b.mul(x, y)],
        ]),
      );
    },
  },
  gates: {
    input: [8, 6, 5],
    make(b, x) {
      const squeezed = b.relu(b.conv(b.globalAvgPool(x), { outChannels: 2, kernel: 1, bias: true }));
      const excited = b.sigmoid(b.conv(squeezed, { outChannels: 8, kernel: 1 }));
      const gated = b.mul(x, excited);
      const rows = b.sigmoid(
        b.linear(b.relu(b.linear(b.globalAvgPool(gated), { outFeatures: 3 })), { outFeatures: 8 }),
      );
      const spatial = b.sigmoid(b.conv(b.channelMean(gated), { outChannels: 1, kernel: 3, padding: 1 }));
      return { channels: b.mul(gated, rows), pixels: b.mul(gated, spatial) };
    },
  },
  'elements and channels': {
    input: [7, 5, 4],
    make(b, x) {
      const moved = b.prelu(b.bias(x));
      const factors = b.rank1Scale(b.bias(moved));
      const part = b.slice(factors, { from: 2, channels: 3 });
      const first = b.slice(factors, { channels: 1 });
      return {
        moved,
        wide: b.padChannels(part, { before: 2, after: 1 }),
        after: b.padChannels(part, { after: 4 }),
        joined: b.concat([first, b.abs(part), b.sigmoid(first)]),
        signed: b.binaryConv(b.sign(b.bias(x)), { outChannels: 4, kernel: 3 }),
      };
    },
  },
  'K of XNOR-Net': {
    input: [18, 5, 5],
    make(b, x) {
      const k = b.avgPool(b.channelMean(b.abs(x)), { kernel: 3, padding: 1, stride: 1 });
      const dot = b.binaryConv(b.sign(x), { outChannels: 7, kernel: 3, padding: 1 });
      return { y: b.mul(dot, k), z: b.rank1Scale(dot) };
    },
  },
  'maps of one pixel and of one channel': {
    input: [1, 1, 1],
    make(b, x) {
      const y = b.rank1Scale(b.bias(x));
      const padded = b.padChannels(b.slice(y, { channels: 1 }), { before: 1, after: 2 });
      return {
        y: b.mul(b.channelMean(b.abs(padded)), b.sigmoid(y)),
        z: b.rank1Scale(b.add(padded, y)),
        u: b.binaryConv(b.heaviside(padded), { outChannels: 3, kernel: 3, padding: 1 }),
        v: b.binaryConv(b.ternary(padded), { outChannels: 2, kernel: 1, scale: true }),
        w: b.binaryWeightConv(padded, { outChannels: 4, kernel: 1, groups: 4, scale: true }),
      };
    },
    adjust: (params) => setFloats(params, 'ternary.threshold', [0.1, 0, 0.3, 0]),
  },
  'interactions of integers': {
    input: [5, 4, 3],
    make(b, x) {
      const dot = b.binaryConv(b.sign(x), { outChannels: 9, kernel: 3, padding: 1 });
      return { y: b.channelInteraction(dot, { name: 'i', pairs: 60, threshold: 6, step: 3 }) };
    },
  },
  'interactions of real numbers': {
    input: [6, 4, 3],
    make: (b, x) => ({ y: b.channelInteraction(x, { name: 'i', pairs: 24, threshold: 0.5, step: 0.3 }) }),
    // Each changes what the next one reads, one reads itself, one target changes thrice.
    adjust(params) {
      const pairs = params.get('i.pairs') as Tensor<'int32'>;
      pairs.data.set([0, 1, 1, 1, 2, -1, 2, 0, 1, 3, 3, -1, 4, 5, 1, 3, 5, 1, 0, 5, -1]);
    },
  },
};

function setFloats(params: Map<string, Tensor>, name: string, values: readonly number[]): void {
  params.set(name, new Tensor('float32', [values.length], Float32Array.from(values)));
}

/** The networks by what they are about; biases, scales and factors have both signs. */
export function networks(): Record<string, Network> {
  return Object.fromEntries(
    Object.entries(CASES).map(([name, { input, make, adjust }], i) => {
      const b = new GraphBuilder(name);
      const [channels, height, width] = input;
      const outputs = make(b, b.input({ channels, height, width }));
      for (const [output, value] of Object.entries(outputs)) b.output(output, value);
      const graph = b.build();
      const params = new Map<string, Tensor>(roughParams(graph, i + 1) as Params);
      const random = new Picker(i + 7);
      for (const [role, tensor] of params) {
        if (!/\.(scale|bias|alpha|beta|gamma)$/.test(role)) continue;
        const data = (tensor.data as Float32Array).map((value) => (random.pick(3) === 0 ? -value : value));
        params.set(role, new Tensor('float32', tensor.shape, data));
      }
      adjust?.(params, graph);
      return [name, { graph, params }];
    }),
  );
}
