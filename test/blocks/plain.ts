/** Maps in double precision and the few operations that papers write formulas with: independent of the graph and its reference. */
import assert from 'node:assert/strict';
import { type Graph, GraphBuilder, graphParams, type Params, randomParams, type Value } from 'bitpath';
import { interpret } from '../reference/interpreter.js';

/** Channels, height, width, and the elements in this order. */
export interface Plain {
  readonly c: number;
  readonly h: number;
  readonly w: number;
  readonly v: readonly number[];
}
export type Element = (value: number, c: number, y: number, x: number) => number;

export function make(c: number, h: number, w: number, of: (c: number, y: number, x: number) => number): Plain {
  const v: number[] = [];
  for (let i = 0; i < c; i++) for (let y = 0; y < h; y++) for (let x = 0; x < w; x++) v.push(of(i, y, x));
  return { c, h, w, v };
}
/** 0 outside the map. */
export function at(m: Plain, c: number, y: number, x: number): number {
  return y < 0 || x < 0 || y >= m.h || x >= m.w ? 0 : (m.v[(c * m.h + y) * m.w + x] as number);
}
export const each = (m: Plain, of: Element) => make(m.c, m.h, m.w, (c, y, x) => of(at(m, c, y, x), c, y, x));
export const plus = (a: Plain, b: Plain) => each(a, (value, c, y, x) => value + at(b, c, y, x));
export const sign = (m: Plain) => each(m, (value) => (value >= 0 ? 1 : -1));
export const step = (m: Plain) => each(m, (value) => (value >= 0 ? 1 : 0));
export const relu = (m: Plain) => each(m, (value) => Math.max(value, 0));
export const clip = (m: Plain) => each(m, (value) => Math.min(Math.max(value, -1), 1));
export const cat = (...maps: Plain[]) => ({
  ...(maps[0] as Plain),
  c: maps.reduce((sum, { c }) => sum + c, 0),
  v: maps.flatMap(({ v }) => v),
});
export const channels = (m: Plain, from: number, count: number) =>
  make(count, m.h, m.w, (c, y, x) => at(m, from + c, y, x));
/** Means over all pixels, one for each channel. */
export const channelMeans = (m: Plain) =>
  Array.from(
    { length: m.c },
    (_, c) => each(channels(m, c, 1), (value) => value).v.reduce((a, b) => a + b) / (m.h * m.w),
  );
export const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

export interface Window {
  readonly k: number;
  readonly stride?: number;
  readonly padding?: number;
  readonly dilation?: number;
}
/** `weight(o, i, ky, kx)`; zeros outside the map. */
export function convolve(
  m: Plain,
  outputs: number,
  weight: (o: number, i: number, ky: number, kx: number) => number,
  { k, stride = 1, padding = 0, dilation = 1 }: Window,
): Plain {
  const size = (pixels: number) => Math.floor((pixels + 2 * padding - dilation * (k - 1) - 1) / stride) + 1;
  return make(outputs, size(m.h), size(m.w), (o, y, x) => {
    let sum = 0;
    for (let i = 0; i < m.c; i++)
      for (let ky = 0; ky < k; ky++)
        for (let kx = 0; kx < k; kx++)
          sum +=
            weight(o, i, ky, kx) * at(m, i, y * stride - padding + ky * dilation, x * stride - padding + kx * dilation);
    return sum;
  });
}
/** Means of 2×2 pixels of a map of even size. */
export const pool2 = (m: Plain) =>
  make(m.c, m.h / 2, m.w / 2, (c, y, x) =>
    mean([0, 1].flatMap((dy) => [0, 1].map((dx) => at(m, c, 2 * y + dy, 2 * x + dx)))),
  );
export function maxPool3(m: Plain, stride: number): Plain {
  return make(m.c, Math.ceil(m.h / stride), Math.ceil(m.w / stride), (c, y, x) => {
    let max = -Infinity;
    for (let dy = -1; dy <= 1; dy++)
      for (let dx = -1; dx <= 1; dx++) {
        const [row, column] = [y * stride + dy, x * stride + dx];
        if (row >= 0 && column >= 0 && row < m.h && column < m.w) max = Math.max(max, at(m, c, row, column));
      }
    return max;
  });
}

/** A block under test: its graph, its parameters, and what the formulas need of them. */
export class Case {
  readonly graph: Graph;
  readonly input: Plain;
  readonly params: Map<string, Params extends ReadonlyMap<string, infer T> ? T : never>;

  constructor(
    [c, h, w]: readonly [number, number, number],
    block: (graph: GraphBuilder, x: Value) => Value,
    seed = 1,
    input?: Plain,
  ) {
    const graph = new GraphBuilder('case');
    graph.output('y', block(graph, graph.input({ channels: c, height: h, width: w })));
    this.graph = graph.build();
    this.params = new Map(randomParams(this.graph, seed));
    let state = 7 * seed + 1;
    const random = () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.fround(state / 2 ** 31 - 1);
    };
    this.input = input ?? make(c, h, w, () => 2 * random());
  }

  /** What the reference interpreter makes of the block. */
  output(): readonly number[] {
    return [...(interpret(this.graph, this.params, Float32Array.from(this.input.v)).get('y') ?? [])];
  }
  /** Elements of a parameter. */
  readonly p = (name: string): readonly number[] => {
    const tensor = this.params.get(name);
    if (tensor === undefined) throw new Error(`no ${name}: ${[...this.params.keys()].join(' ')}`);
    return [...tensor.data];
  };
  readonly bn = (m: Plain, name: string): Plain => {
    const [weight, bias, average, variance] = ['weight', 'bias', 'running_mean', 'running_var'].map((role) =>
      this.p(`${name}.${role}`),
    ) as [number[], number[], number[], number[]];
    return each(
      m,
      (value, c) =>
        ((value - (average[c] ?? NaN)) / Math.sqrt((variance[c] ?? NaN) + 1e-5)) * (weight[c] ?? NaN) +
        (bias[c] ?? NaN),
    );
  };
  /** 1-bit conv: signs of weights from bits in (ky, kx, channel) order, times `name.scale` where there is one. */
  readonly bconv = (m: Plain, name: string, window: Window): Plain => {
    const spec = graphParams(this.graph).find((param) => param.name === `${name}.bits`);
    const outputs = spec?.shape[0] ?? NaN;
    const bytes = this.p(`${name}.bits`);
    const rowBytes = bytes.length / outputs;
    const weight = (o: number, i: number, ky: number, kx: number) => {
      const bit = (ky * window.k + kx) * m.c + i;
      return (((bytes[o * rowBytes + (bit >> 3)] ?? NaN) >> (bit & 7)) & 1) * 2 - 1;
    };
    const sum = convolve(m, outputs, weight, window);
    const scale = this.params.has(`${name}.scale`) ? this.p(`${name}.scale`) : undefined;
    return scale === undefined ? sum : each(sum, (value, o) => value * (scale[o] ?? NaN));
  };
  /** Real-valued conv, without bias. */
  readonly conv = (m: Plain, name: string, window: Window): Plain => {
    const weight = this.p(`${name}.weight`);
    const outputs = weight.length / (m.c * window.k ** 2);
    return convolve(
      m,
      outputs,
      (o, i, ky, kx) => weight[((o * m.c + i) * window.k + ky) * window.k + kx] ?? NaN,
      window,
    );
  };
  readonly rPRelu = (m: Plain, name: string): Plain => {
    const [before, slope, after] = [this.p(`${name}.0.bias`), this.p(`${name}.1.weight`), this.p(`${name}.2.bias`)];
    return each(m, (value, c) => {
      const shifted = value + (before[c] ?? NaN);
      return (shifted < 0 ? shifted * (slope[c] ?? NaN) : shifted) + (after[c] ?? NaN);
    });
  };
}

export function assertClose(actual: readonly number[], expected: readonly number[], what: string): void {
  assert.equal(actual.length, expected.length, what);
  actual.forEach((value, i) => {
    const wanted = expected[i] ?? NaN;
    assert.ok(
      Math.abs(value - wanted) <= 1e-5 * Math.max(1, Math.abs(wanted)),
      `${what}[${i}]: ${value}, not ${wanted}`,
    );
  });
}
