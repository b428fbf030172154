/** Another engine's tensors against bitpath, layer by layer. */
import type { AnyNode, Graph, Node, OpName, Shape, Value } from '../../graph/types.js';
import type { Params } from '../../tensor.js';
import { type Maps, runLayer } from './isolate.js';
import { type Layer, layersOf } from './layers.js';
import { type Difference, difference, NO_SIGNS, type Signs, signsOf, type Thresholds, TOLERANCE } from './measure.js';

/**
 * `equal`: within the tolerance, and no clear sign flipped. `differs`: not so. `sensitive`: not so either, but signs inside the
 * layer see values that were computed in it, so that rounding may explain it.
 */
export type Verdict = 'equal' | 'differs' | 'sensitive';

/** One layer, computed from the other engine's own tensors. */
export interface LayerReport extends Difference {
  /** The node that makes the layer's value. */
  readonly name: string;
  /** All nodes that lead to it. */
  readonly nodes: readonly string[];
  /** Their ops. */
  readonly ops: readonly OpName[];
  /** Of one image. */
  readonly shape: Shape;
  /** Of a layer that gives an activation; or of what the signs that read it would make of it. */
  readonly signs: Signs;
  /** Signs inside the layer that see values computed in it. */
  readonly innerSigns: number;
  /** Whether the engines agree. */
  readonly verdict: Verdict;
  /** What the difference looks like; empty where there is none. */
  readonly hint: string;
}

export interface CompareOptions {
  readonly threads: number;
  /** Values to cut at; by default all of `maps`. */
  readonly known?: ReadonlySet<number>;
  readonly onLayer?: (report: LayerReport) => void;
}

/**
 * Computes each layer between the values in `maps` from the other engine's own tensors, and compares.
 *
 * @param maps [count, C, H, W] by value id; the input's must be among them.
 */
export async function compareLayers(
  graph: Graph,
  params: Params,
  maps: Maps,
  count: number,
  { threads, known = new Set(maps.keys()), onLayer }: CompareOptions,
): Promise<LayerReport[]> {
  const reports: LayerReport[] = [];
  for (const layer of layersOf(graph, known)) {
    const actual = await runLayer(graph, params, layer, maps, count, threads);
    const report = reportOf(graph, params, layer, actual, maps);
    reports.push(report);
    onLayer?.(report);
  }
  return reports;
}

function reportOf(graph: Graph, params: Params, layer: Layer, actual: Float32Array, maps: Maps): LayerReport {
  const { shape, type } = graph.values[layer.output] as Value;
  const expected = maps.get(layer.output) as Float32Array;
  const measured = difference(actual, expected, shape.height, shape.width);
  const signs =
    type !== 'float32'
      ? activationSigns(params, layer, shape, actual, expected, maps)
      : readSigns(graph, params, layer, shape, actual, expected);
  const isEqual = signs.flipped === 0 && (type !== 'float32' || measured.relative <= TOLERANCE);
  const verdict = isEqual ? 'equal' : layer.innerSigns.length > 0 ? 'sensitive' : 'differs';
  const last = layer.nodes.at(-1) as Node;
  return {
    ...measured,
    name: last.name,
    nodes: layer.nodes.map(({ name }) => name),
    ops: layer.nodes.map(({ op }) => op),
    shape,
    signs,
    innerSigns: layer.innerSigns.length,
    verdict,
    hint: isEqual ? '' : hintOf(layer, shape, measured, actual, expected),
  };
}

/** A comparison that an activation is made of: with what, and which of the activation's values tell that x was above. */
interface Comparison {
  readonly thresholds: Thresholds;
  readonly isAbove: (value: number) => boolean;
}

/** One for `sign` and `heaviside`, two for `ternary`, none for other ops. */
function comparisonsOf(node: AnyNode, params: Params): Comparison[] {
  const given = params.get(node.params['threshold']?.name ?? '')?.data as Float32Array | undefined;
  const upper: Comparison = { thresholds: given ?? 0, isAbove: (value) => value > 0 };
  if (node.op === 'sign' || node.op === 'heaviside') return [upper];
  if (node.op !== 'ternary' || given === undefined) return [];
  return [upper, { thresholds: given.map((threshold) => -threshold), isAbove: (value) => value > -1 }];
}

/** The layer gives an activation, its last node. What that read is needed to know which values were near the threshold. */
function activationSigns(
  params: Params,
  layer: Layer,
  shape: Shape,
  actual: Float32Array,
  expected: Float32Array,
  maps: Maps,
): Signs {
  const activation = layer.nodes.at(-1) as AnyNode;
  // Without what the activation saw, all are clear.
  const before = maps.get(activation.inputs[0] ?? -1) ?? new Float32Array(expected.length).fill(Infinity);
  const signs = comparisonsOf(activation, params).map(({ thresholds, isAbove }) => {
    const there = (i: number) => isAbove(expected[i] as number);
    return signsOf(before, thresholds, shape, (i) => isAbove(actual[i] as number), there);
  });
  return signs.reduce(sumOfSigns, NO_SIGNS);
}

/** The layer gives floats: what each activation that reads them would make of them, all together. */
function readSigns(
  graph: Graph,
  params: Params,
  layer: Layer,
  shape: Shape,
  actual: Float32Array,
  expected: Float32Array,
): Signs {
  const readers = graph.nodes.filter((node) => node.inputs.includes(layer.output));
  const signs = readers
    .flatMap((node) => comparisonsOf(node, params))
    .map(({ thresholds }) => {
      const there = (i: number, threshold: number) => (expected[i] as number) >= threshold;
      return signsOf(expected, thresholds, shape, (i, threshold) => (actual[i] as number) >= threshold, there);
    });
  return signs.reduce(sumOfSigns, NO_SIGNS);
}

function sumOfSigns(a: Signs, b: Signs): Signs {
  return {
    clear: a.clear + b.clear,
    flipped: a.flipped + b.flipped,
    near: a.near + b.near,
    nearFlipped: a.nearFlipped + b.nearFlipped,
  };
}

/** What the difference looks like, in the order in which one would look. */
function hintOf(
  layer: Layer,
  { channels, height, width }: Shape,
  { off, offAtBorder, worst }: Difference,
  actual: Float32Array,
  expected: Float32Array,
): string {
  if (worst === Infinity) return 'one side is NaN or infinite';
  const pixels = height * width;
  const border = pixels - Math.max(0, height - 2) * Math.max(0, width - 2);
  if (off > 0 && off === offAtBorder && border < pixels) return 'only at the border: look at padding and its value';
  const wrong = new Set<number>();
  const ratios = new Map<number, number | null>();
  for (let i = 0; i < expected.length; i++) {
    const c = Math.floor(i / pixels) % channels;
    const [a, b] = [actual[i] as number, expected[i] as number];
    if (Math.abs(a - b) > TOLERANCE * Math.max(Math.abs(b), 1e-30)) wrong.add(c);
    if (Math.abs(b) < 1e-6) continue;
    const ratio = a / b;
    const seen = ratios.get(c);
    if (seen === undefined) ratios.set(c, ratio);
    else if (seen !== null && Math.abs(ratio - seen) > 1e-3 * Math.abs(seen)) ratios.set(c, null);
  }
  if (wrong.size > 0 && [...ratios.values()].every((ratio) => ratio !== null)) {
    return 'by a constant factor in each channel: look at scales and batchNorm eps';
  }
  if (wrong.size > 0 && wrong.size <= channels / 2) return `only in ${wrong.size} of ${channels} channels`;
  const inside = layer.innerSigns.length;
  if (inside > 0) {
    const share = `${((100 * off) / expected.length).toFixed(off < expected.length / 10 ? 1 : 0)} % of the values are off`;
    // A flip reaches a window of all channels after one convolution, and a whole map after a few.
    const blame =
      inside <= 2 && off > expected.length / 5 ? 'hardly all from rounding' : 'may come from flips within rounding';
    return `${share}: with ${inside} sign${inside === 1 ? '' : 's'} inside, ${blame}`;
  }
  return '';
}
