/** Which values of a model do not depend on its input, and what they are. */
import { describe } from '../../check.js';
import type { BitpathError } from '../../errors.js';
import { onnxError } from '../error.js';
import { readTensor } from '../proto/tensor.js';
import { type Constant, fromTensor, makeConstant } from './constant.js';
import { EVALUATORS } from './evaluate.js';
import type { OnnxGraph, OnnxNode } from './load.js';

/** Elements that may be worked out whatever the size of the file, and for each byte of its parameters. */
const BASE_BUDGET = 1 << 22;
const BUDGET_PER_BYTE = 16;
/** Results up to this size are kept; larger ones (weights) are worked out where they are needed, which is once. */
const KEPT_ELEMENTS = 4096;

/**
 * The constants of a graph, worked out when they are asked for: a chain of ten operators over 50 MB of weights never has more
 * than its own intermediate results in memory. Work is bounded by the size of the file.
 */
export class Constants {
  readonly #graph: OnnxGraph;
  readonly #names = new Set<string>();
  readonly #kept = new Map<string, Constant>();
  /** Name → another name of the same value. */
  readonly #aliases: ReadonlyMap<string, string>;
  #budget: number;
  /** The dimensions of a value that is no constant; the batch is NaN. */
  dimsOf: (name: string, node: OnnxNode) => readonly number[] = () => [];

  constructor(graph: OnnxGraph, aliases: ReadonlyMap<string, string>) {
    this.#graph = graph;
    this.#aliases = aliases;
    let bytes = 0;
    for (const [name, tensor] of graph.initialisers) {
      this.#names.add(name);
      bytes += tensor.rawData.length + 4 * (tensor.floatData.length + tensor.int32Data.length);
    }
    this.#budget = BASE_BUDGET + BUDGET_PER_BYTE * bytes;
    for (const node of graph.nodes) {
      if (!EVALUATORS.has(node.op)) continue;
      const ofMap = (node.op === 'Shape' || node.op === 'Size') && node.inputs.length === 1;
      if (!ofMap && !node.inputs.every((name) => name === '' || this.#names.has(name))) continue;
      const [output] = node.outputs;
      if (output) this.#names.add(output);
    }
  }

  has(name: string): boolean {
    return this.#names.has(name);
  }

  /** The value of a constant. Throws `ERR_BITPATH_ONNX` where it cannot be worked out. */
  get(name: string): Constant {
    const found = new Map<string, Constant>();
    const stack = [name];
    // Explicit stack: a chain may be as long as the file.
    for (let next = stack.at(-1); next !== undefined; next = stack.at(-1)) {
      if (found.has(next)) {
        stack.pop();
        continue;
      }
      const known = this.#leaf(next);
      if (known !== undefined) {
        found.set(next, known);
        stack.pop();
        continue;
      }
      const alias = this.#aliases.get(next);
      const node = this.#graph.producers.get(next) as OnnxNode;
      const needed = alias === undefined ? node.inputs : [alias];
      const missing = needed.filter((input) => input !== '' && !found.has(input));
      if (missing.length > 0 && !this.#isShapeOfMap(node)) {
        this.spend(missing.length, node);
        stack.push(...missing);
        continue;
      }
      const value = alias === undefined ? this.#evaluate(node, found) : (found.get(alias) as Constant);
      found.set(next, value);
      if (value.data.length <= KEPT_ELEMENTS) this.#kept.set(next, value);
      stack.pop();
    }
    return found.get(name) as Constant;
  }

  #leaf(name: string): Constant | undefined {
    const kept = this.#kept.get(name);
    if (kept !== undefined) return kept;
    const tensor = this.#graph.initialisers.get(name);
    return tensor === undefined ? undefined : fromTensor(readTensor(tensor, this.#graph.file));
  }

  #isShapeOfMap({ op, inputs }: OnnxNode): boolean {
    return (op === 'Shape' || op === 'Size') && !this.#names.has(inputs[0] ?? '');
  }

  #evaluate(node: OnnxNode, found: ReadonlyMap<string, Constant>): Constant {
    const evaluate = EVALUATORS.get(node.op);
    if (evaluate === undefined) throw this.#error(node, 'is no constant');
    const inputs = this.#isShapeOfMap(node) ? [this.#shaped(node)] : node.inputs.map((name) => found.get(name));
    this.spend(16, node);
    return evaluate(node, inputs, {
      file: this.#graph.file,
      opset: this.#graph.opset,
      spend: (elements) => this.spend(elements, node),
      fail: (reason) => this.#error(node, reason),
    });
  }

  /** Something of the shape of a map, to ask for its shape only. */
  #shaped(node: OnnxNode): Constant {
    return { ...makeConstant('float', [], []), dims: this.dimsOf(node.inputs[0] ?? '', node) };
  }

  /** Takes `elements` from the budget. */
  spend(elements: number, node: OnnxNode): void {
    this.#budget -= elements;
    if (this.#budget >= 0) return;
    throw this.#error(node, 'takes more work than a file of this size should');
  }

  #error(node: OnnxNode, reason: string): BitpathError {
    return onnxError(this.#graph.file, `node ${describe(node.name)} (${node.op}) ${reason}`, {
      node: node.name,
      op: node.op,
    });
  }
}
