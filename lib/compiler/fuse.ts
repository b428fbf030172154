import { BitpathError } from '../errors.js';
import type { Padding, Shape, Value } from '../graph/types.js';
import { type BitPlace, placeParts } from './bitPlaces.js';
import {
  at,
  type BitMap,
  consumersOf,
  type ElementWise,
  type FoldedGraph,
  type FoldedNode,
  type FusedGraph,
  hasOneOperand,
  type Instruction,
  isHalving,
  type Maker,
  type SignRule,
  type Step,
  storedBy,
} from './ir.js';

/** Steps after which an instruction absorbs no more: far more than any network has, and native/ops/steps.h has room for twice as many. */
const LONGEST = 128;
/** As native/ops/steps.h has it. */
const MOST_STEPS = 256;

/**
 * Makes instructions: whatever is element-wise becomes a step of the instruction that makes its operand, so that a map is
 * written once and a sign never reads one.
 *
 * Nodes are taken in order. An instruction follows its value v: each sign of v becomes SIGN steps, each copy a STORE, each pooled
 * part of a concat a STORE_MAX_POOLED; v
 * itself is stored if it is an output or anything but these and the node absorbed next reads it; then one element-wise reader of v is absorbed, if its other operand was
 * stored by an earlier instruction, and the instruction goes on with its result. (A map stored by the same instruction
 * does not count: an ADD may not read what an earlier step has just written.) Element-wise nodes that nobody absorbs, and
 * signs of concats, start a MAP.
 */
export function fuse(graph: FoldedGraph): FusedGraph {
  return new Fuser(graph).run();
}

class Fuser {
  readonly #graph: FoldedGraph;
  readonly #consumers: readonly (readonly FoldedNode[])[];
  readonly #outputs: ReadonlySet<number>;
  readonly #instructions: Instruction[] = [];
  readonly #bitMaps: BitMap[] = [];
  /** Bit map that a binary conv reads, by {@link MapKey.id}. */
  readonly #bitMapOf = new Map<string, number>();
  readonly #absorbed = new Set<FoldedNode>();
  /** Float values that lie in memory when the next instruction starts. */
  readonly #stored = new Set<number>();

  constructor(graph: FoldedGraph) {
    this.#graph = graph;
    this.#consumers = consumersOf(graph);
    this.#outputs = new Set(graph.outputs.map((output) => output.value));
  }

  run(): FusedGraph {
    for (const node of this.#graph.nodes) {
      if (!this.#absorbed.has(node)) this.#start(node);
    }
    return { instructions: this.#instructions, bitMaps: this.#bitMaps };
  }

  #start(node: FoldedNode): void {
    const { work } = node;
    switch (work.op) {
      case 'sign':
      case 'copy': // steps of whatever made their operand
      case 'concatBits':
        return;
      case 'slice':
      case 'concat': {
        this.#stored.add(node.output);
        const names: string[] = [];
        const steps = this.#follow(node.output, names);
        if (steps.length > 0) this.#push(node.output, { op: 'map', source: node.output }, steps, names);
        return;
      }
      case 'input':
      case 'fill':
        return this.#make(node, work);
      case 'binaryConv': {
        const bitMap = this.#bitMapOf.get(mapOf(node, at(node.inputs, 0)).id);
        if (bitMap === undefined) throw new RangeError(`no bit map for ${node.names.join(', ')}`);
        return this.#make(node, { ...work, bitMap });
      }
      case 'conv':
      case 'maxPool':
      case 'avgPool':
      case 'channelMean':
      case 'channelInteraction':
        return this.#make(node, { ...work, source: at(node.inputs, 0) });
      default: {
        const source = at(node.inputs, 0);
        const steps = stepsOf(work, node.inputs[1]);
        return this.#make(node, { op: 'map', source }, steps);
      }
    }
  }

  #make(node: FoldedNode, maker: Maker, first: readonly Step[] = []): void {
    const names = [...node.names];
    const steps = [...first, ...this.#follow(node.output, names)];
    this.#push(node.output, maker, steps, names);
  }

  #push(value: number, make: Maker, steps: readonly Step[], names: readonly string[]): void {
    const { shape } = at(this.#graph.values, value);
    if (steps.length > MOST_STEPS) {
      const reason = `what is made of ${names[0]} at once takes ${steps.length} steps, more than ${MOST_STEPS}: it is binarised too often`;
      throw new BitpathError('ERR_BITPATH_GRAPH', { reason });
    }
    this.#instructions.push({ names: [...new Set(names)], when: 0, make, shape, steps });
    for (const step of steps) {
      const value = storedBy(step);
      if (value !== undefined) this.#stored.add(value);
    }
  }

  /** The steps on `value` and on what is absorbed after it; adds the names of what it takes in. */
  #follow(value: number, names: string[]): readonly Step[] {
    const steps: Step[] = [];
    for (let v = value; ; ) {
      const consumers = at(this.#consumers, v);
      for (const sign of consumers) {
        if (sign.work.op === 'sign') steps.push(...this.#signs(v, sign, sign.work.rule, names));
      }
      for (const copy of consumers.filter((node) => node.work.op === 'copy')) {
        steps.push({ op: 'store', value: copy.output });
        this.#absorbed.add(copy);
      }
      for (const pool of consumers.filter((node) => this.#isPooledPart(node))) {
        steps.push({ op: 'storeMaxPooled', value: pool.output });
        names.push(...pool.names);
        this.#absorbed.add(pool);
      }
      const next = steps.length < LONGEST ? consumers.find((node) => this.#canAbsorb(node, v)) : undefined;
      const reread = consumers.some(
        (node) => !['sign', 'copy'].includes(node.work.op) && !this.#isPooledPart(node) && node !== next,
      );
      if ((reread || this.#outputs.has(v)) && !this.#stored.has(v)) steps.push({ op: 'store', value: v });
      if (next === undefined) return steps;
      this.#absorbed.add(next);
      names.push(...next.names);
      steps.push(
        ...stepsOf(
          next.work as ElementWise,
          next.inputs.find((input) => input !== v),
        ),
      );
      v = next.output;
    }
  }

  /** What a dense stage's part becomes at the end of the stage: see distribute.ts. */
  #isPooledPart(node: FoldedNode): boolean {
    const forConcat = at(this.#consumers, node.output).every(({ work }) => work.op === 'concat');
    return forConcat && !this.#outputs.has(node.output) && isHalving(node, this.#graph.values);
  }

  #canAbsorb(node: FoldedNode, value: number): boolean {
    if (this.#absorbed.has(node)) return false;
    if (hasOneOperand(node.work)) return true;
    if (node.work.op !== 'add' && node.work.op !== 'mul') return false;
    const other = node.inputs.find((input) => input !== value);
    // What is broadcast is read from memory.
    const whole = sameShape(at(this.#graph.values, value), at(this.#graph.values, node.output));
    return other !== undefined && whole && this.#stored.has(other);
  }

  /** One SIGN for each bit map that binary convs want of `sign`, unless an equal sign of `value` has made it. */
  #signs(value: number, sign: FoldedNode, rule: SignRule, names: string[]): readonly Step[] {
    const steps: Step[] = [];
    names.push(...sign.names);
    for (const reader of at(this.#consumers, sign.output)) {
      if (reader.work.op === 'binaryConv') {
        steps.push(...this.#signFor(reader, value, sign, rule));
      } else if (reader.work.op === 'concatBits') {
        const { shape } = at(this.#graph.values, reader.output);
        const place = at(reader.work.places, reader.inputs.indexOf(sign.output));
        for (const key of this.#paddingsOf(reader)) {
          steps.push(this.#signOf(key, shape, rule, place));
        }
      }
    }
    return steps;
  }

  /** The bit map that `conv` reads, made of `sign` alone. */
  #signFor(conv: FoldedNode, value: number, sign: FoldedNode, rule: SignRule): readonly Step[] {
    const key = mapOf(conv, sign.output);
    if (this.#bitMapOf.has(key.id)) return [];
    const plain = rule.threshold === null && rule.flip === null;
    const plainKey = `plain ${mapOf(conv, value).id}`;
    const known = plain ? this.#bitMapOf.get(plainKey) : undefined;
    if (known !== undefined) {
      this.#bitMapOf.set(key.id, known);
      return [];
    }
    const { shape } = at(this.#graph.values, value);
    const step = this.#signOf(key, shape, rule, at(placeParts([shape.channels]), 0));
    if (plain) this.#bitMapOf.set(plainKey, step.bitMap);
    return [step];
  }

  /** The bit maps that convs want of joined bits. */
  #paddingsOf(concat: FoldedNode): readonly MapKey[] {
    const keys = at(this.#consumers, concat.output).map((conv) => mapOf(conv, concat.output));
    return [...new Map(keys.map((key) => [key.id, key])).values()];
  }

  /** A SIGN into the bit map of `key`, which the first one makes. */
  #signOf(key: MapKey, shape: Shape, rule: SignRule, place: BitPlace) {
    const known = this.#bitMapOf.get(key.id);
    const bitMap = known ?? this.#bitMaps.length;
    if (known === undefined) {
      this.#bitMaps.push({ shape, padding: key.padding, padBit: key.padBit });
      this.#bitMapOf.set(key.id, bitMap);
    }
    return { op: 'sign', bitMap, rule, place, clears: known === undefined } as const;
  }
}

interface MapKey {
  readonly id: string;
  readonly padding: Padding;
  readonly padBit: 0 | 1;
}

/** The bit map that `conv` reads of the bits of `value`. */
function mapOf(conv: FoldedNode, value: number): MapKey {
  if (conv.work.op !== 'binaryConv') throw new RangeError(`${conv.work.op} reads bits`);
  const { padBit, attrs } = conv.work;
  return { id: `${value}: ${attrs.padding.join(' ')} ${padBit}`, padding: attrs.padding, padBit };
}

function sameShape({ shape: a }: Value, { shape: b }: Value): boolean {
  return a.channels === b.channels && a.height === b.height && a.width === b.width;
}

function stepsOf(work: ElementWise, other: number | undefined): readonly Step[] {
  switch (work.op) {
    case 'add':
    case 'mul':
      if (other === undefined) throw new RangeError(`${work.op} without a second operand`);
      return [{ op: work.op, value: other }];
    default:
      return [work];
  }
}
