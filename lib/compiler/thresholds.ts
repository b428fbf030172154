import { fma32, floatToOrder, orderToFloat } from './float32.js';
import { type Affine, consumersOf, type FoldedGraph, type FoldedNode, type SignRule } from './ir.js';

/**
 * Turns an affine that nothing but signs read into thresholds of those signs, which then read the affine's input.
 *
 * fma(x, s, b) ≥ t is monotone in x, so for s > 0 it holds from some float32 on, and for s < 0 from some −x on (`flip`).
 * That float is found exactly, so no bit changes. A channel with s = 0 has no such float (NaN and ±∞ give −1), so then
 * the affine stays.
 */
export function foldThresholds(graph: FoldedGraph): FoldedGraph {
  const consumers = consumersOf(graph);
  const outputs = new Set(graph.outputs.map((output) => output.value));
  const replaced = new Map<FoldedNode, FoldedNode>();
  const dropped = new Set<FoldedNode>();
  for (const node of graph.nodes) {
    const readers = consumers[node.output] ?? [];
    if (node.work.op !== 'affine' || outputs.has(node.output) || readers.length === 0) continue;
    const rules = readers.map((reader) => {
      return reader.work.op === 'sign' && node.work.op === 'affine' ? thresholdRule(node.work, reader.work.rule) : null;
    });
    if (rules.includes(null)) continue;
    dropped.add(node);
    readers.forEach((reader, i) => {
      const rule = rules[i];
      if (rule) {
        replaced.set(reader, {
          names: [...node.names, ...reader.names],
          inputs: node.inputs,
          output: reader.output,
          work: { op: 'sign', rule },
        });
      }
    });
  }
  const nodes = graph.nodes.filter((node) => !dropped.has(node)).map((node) => replaced.get(node) ?? node);
  return { ...graph, nodes };
}

/** The rule on x that equals `rule` on fma(x, mul, add), or null if a channel has none. */
export function thresholdRule({ mul, add }: Affine, rule: SignRule): SignRule | null {
  if (rule.flip !== null) return null;
  const threshold = new Float32Array(mul.length);
  const flip = new Int32Array(mul.length);
  for (let c = 0; c < mul.length; c++) {
    const s = mul[c] ?? 0;
    const b = add[c] ?? 0;
    if (s === 0 || !Number.isFinite(s) || !Number.isFinite(b)) return null;
    threshold[c] = smallestAtLeast(Math.abs(s), b, rule.threshold?.[c] ?? 0);
    flip[c] = s < 0 ? -0x80000000 : 0;
  }
  return { threshold, flip: flip.some((bits) => bits !== 0) ? flip : null };
}

/** Steps of float32: more than the roundings of the guess's three operations, unless they cancel. */
const NEAR = 4;

/** The smallest float32 x with fma(x, s, b) ≥ t, for s > 0 and finite b, t: it lies in (−∞, +∞]. */
function smallestAtLeast(s: number, b: number, t: number): number {
  let below = floatToOrder(-Infinity);
  let reached = floatToOrder(Infinity);
  // Where real numbers would have it, the float is a few steps away: two looks there spare most of the bisection.
  const guess = floatToOrder(Math.fround((t - b) / s));
  for (const order of [guess - NEAR, guess + NEAR]) {
    if (order <= below || order >= reached) continue;
    if (fma32(orderToFloat(order), s, b) >= t) reached = order;
    else below = order;
  }
  while (reached - below > 1) {
    const middle = Math.floor((below + reached) / 2);
    if (fma32(orderToFloat(middle), s, b) >= t) reached = middle;
    else below = middle;
  }
  return orderToFloat(reached);
}
