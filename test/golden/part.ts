/** Parts of a network, run on tensors of their own and held to PyTorch's. */
import { compile, type Graph, graphFromJson, graphParams, graphToJson, type Model, type Tensor } from 'bitpath';

type Attrs = Record<string, unknown>;
export type Change = (op: string, attrs: Attrs) => Attrs;

/** The part of `graph` whose nodes `select` names, fed by one input of `shape` [1, C, H, W] in place of all that it leaves out. */
export function part(
  graph: Graph,
  select: (name: string) => boolean,
  shape: readonly number[],
  change: Change = (_, attrs) => attrs,
): Graph {
  const { nodes, ...json } = graphToJson(graph);
  const kept = nodes.filter(({ name }) => select(name));
  const names = new Set(kept.map(({ name }) => name));
  const [, channels, height, width] = shape;
  return graphFromJson({
    ...json,
    nodes: [
      { op: 'input', name: 'input', inputs: [], attrs: { channels, height, width } },
      ...kept.map((node) => ({
        ...node,
        inputs: node.inputs.map((name) => (names.has(name) ? name : 'input')),
        attrs: change(node.op, { ...node.attrs }),
      })),
    ],
    outputs: [{ name: 'out', value: kept.at(-1)?.name ?? '' }],
  });
}

export const scoped = (scope: string) => (name: string) => name.startsWith(`${scope}.`);
export const wrongEps: Change = (op, attrs) => (op === 'batchNorm' ? { ...attrs, eps: 1e-3 } : attrs);
export const minusOnes: Change = (op, attrs) => (op === 'binaryConv' ? { ...attrs, padValue: -1 } : attrs);

export async function run(model: Model, graph: Graph, input: Float32Array): Promise<Float32Array> {
  const params = new Map(graphParams(graph).map(({ name }) => [name, model.params.get(name) as Tensor]));
  using executor = await compile(graph, params, { threads: 2 });
  return (await executor.run(input)).out?.data as Float32Array;
}

export interface Difference {
  /** Largest difference over the largest value. */
  readonly relative: number;
  /** Values of more than 1e-3 whose sign differs. */
  readonly flips: number;
  /** Share of values that differ by no more than 1e-4 of the largest. */
  readonly within: number;
}

export function compare(actual: Float32Array, expected: Float32Array): Difference {
  if (actual.length !== expected.length) return { relative: Infinity, flips: expected.length, within: 0 };
  const largest = expected.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
  let worst = 0;
  let flips = 0;
  let close = 0;
  expected.forEach((value, i) => {
    const other = actual[i] as number;
    const off = Math.abs(other - value);
    if (!(off <= worst)) worst = off; // NaN counts as infinitely wrong
    if (off <= 1e-4 * largest) close++;
    if (Math.abs(value) > 1e-3 && value >= 0 !== other >= 0) flips++;
  });
  return { relative: Number.isNaN(worst) ? Infinity : worst / largest, flips, within: close / expected.length };
}

/** What is asked for is 1e-4 of the largest value. Units reach 4e-6, and only this bound tells a wrong eps beside variances of 20. */
export const TIGHT = 1e-5;
export const agrees = ({ relative, flips }: Difference, tolerance = 1e-4) => relative <= tolerance && flips === 0;
