/**
 * Interactions of channels, which bitpath's export writes as rounds of other operators and, in its metadata, as they were. The
 * metadata are believed where the rounds that they make are those of the file; otherwise the file's operators are read one by one.
 */
import { nextDown, nextUp } from '../float32.js';
import { type Interaction, MAX_ROUNDS, type Pairs, roundsOf, roundWeights } from '../interaction.js';
import type { Emitter, Handler } from './emitter.js';
import { intAttribute, metadataJson, type OnnxNode } from './load.js';

export interface Interactions {
  /** Of the last node of each. */
  readonly handlers: ReadonlyMap<OnnxNode, Handler>;
  /** The nodes before it. */
  readonly covered: ReadonlySet<OnnxNode>;
}

export function findInteractions(emitter: Emitter, live: readonly OnnxNode[]): Interactions {
  const handlers = new Map<OnnxNode, Handler>();
  const covered = new Set<OnnxNode>();
  const noted = metadataJson(emitter.graph.metadata, 'interactions') ?? {};
  if (typeof noted !== 'object') return { handlers, covered };
  const byName = new Map(live.filter(({ op }) => op === 'Add').map((node) => [node.name, node]));
  for (const [name, value] of Object.entries(noted)) {
    const last = byName.get(name);
    if (last === undefined || !isInteraction(value)) continue;
    const found = [true, false].map((exact) => match(emitter, last, value, exact)).find((each) => each !== undefined);
    if (found === undefined || found.nodes.some((node) => covered.has(node))) continue;
    handlers.set(last, build(found.input, value));
    for (const node of found.nodes) if (node !== last) covered.add(node);
  }
  return { handlers, covered };
}

function isInteraction(value: unknown): value is Interaction {
  const { threshold, step, pairs } = (value ?? {}) as Partial<Record<keyof Interaction, unknown>>;
  const isFloat = (x: unknown) => typeof x === 'number' && Number.isFinite(x) && Math.fround(x) === x;
  const isPairs = Array.isArray(pairs) && pairs.length > 0 && pairs.length % 3 === 0;
  return (
    isFloat(threshold) && isFloat(step) && isPairs && pairs.every((x) => Number.isInteger(x) && Math.abs(x) < 2 ** 31)
  );
}

const build =
  (input: string, { threshold, step, pairs }: Interaction): Handler =>
  (emitter, node) => {
    const x = emitter.toMap(emitter.input({ ...node, inputs: [input] }, 0));
    const options = { pairs: pairs.length / 3, threshold, step };
    const params = { pairs: Int32Array.from(pairs) };
    return { ...x, value: emitter.add('channelInteraction', [x.value], options, node, params) };
  };

/** The nodes that end in `last` and what they read, where they are what the export writes for `interaction`. */
function match(
  emitter: Emitter,
  last: OnnxNode,
  { threshold, step, pairs }: Interaction,
  exact: boolean,
): { readonly input: string; readonly nodes: readonly OnnxNode[] } | undefined {
  const maker = (name: string | undefined, op: string) => {
    const node = emitter.graph.producers.get(emitter.resolve(name ?? ''));
    return node?.op === op ? node : undefined;
  };
  const channels = weightsOf(emitter, maker(last.inputs[1], 'Conv'))?.dims[0] ?? 0;
  const list: Pairs = Int32Array.from(pairs);
  if (list.some((channel, i) => i % 3 < 2 && !(channel >= 0 && channel < channels))) return undefined;
  const rounds = roundsOf(list, channels, exact);
  if (rounds.count > MAX_ROUNDS) return undefined;
  const nodes: OnnxNode[] = [];
  let sum: OnnxNode | undefined = last;
  let input = '';
  for (let round = rounds.count - 1; round >= 0; round--) {
    if (sum?.op !== 'Add') return undefined;
    const y = emitter.resolve(sum.inputs[0] ?? '');
    const conv = maker(sum.inputs[1], 'Conv');
    const concat = maker(conv?.inputs[0], 'Concat');
    const casts = [0, 1].map((i) => maker(concat?.inputs[i], 'Cast'));
    const limits = [
      { plain: 'GreaterOrEqual', at: threshold, strict: 'Greater', beyond: nextDown(threshold) },
      { plain: 'LessOrEqual', at: -threshold, strict: 'Less', beyond: nextUp(-threshold) },
    ];
    const flags = casts.map((cast, i) => {
      const { plain, at, strict, beyond } = limits[i] as (typeof limits)[number];
      const flag = maker(cast?.inputs[0], plain) ?? maker(cast?.inputs[0], strict);
      const bound = flag && emitter.constant(flag, 1);
      const isRight = bound?.data.length === 1 && bound.data[0] === (flag?.op === plain ? at : beyond);
      return isRight && emitter.resolve(flag?.inputs[0] ?? '') === y ? flag : undefined;
    });
    const inner = [conv, concat, ...casts, ...flags].filter((node) => node !== undefined);
    const weights = weightsOf(emitter, conv);
    if (inner.length !== 6 || concat?.inputs.length !== 2 || intAttribute(concat, 'axis', 1) !== 1) return undefined;
    if (weights?.dims.join() !== `${channels},${2 * channels},1,1`) return undefined;
    const expected = roundWeights(list, rounds, round, channels, step);
    if (!expected.every((weight, i) => weight === weights.data[i])) return undefined;
    const isRead = (node: OnnxNode) => emitter.onlyConsumer(node.outputs[0] ?? '') === undefined;
    if (inner.some(isRead)) return undefined;
    nodes.push(sum, ...inner);
    input = y;
    sum = emitter.graph.producers.get(y);
    const readers = emitter.consumers.get(y) ?? [];
    if (round > 0 && (readers.length !== 3 || emitter.isOutput(y))) return undefined;
  }
  return { input, nodes };
}

/** Weights of a 1×1 convolution without anything else to it. */
function weightsOf(emitter: Emitter, conv: OnnxNode | undefined) {
  const isPlain = conv?.inputs.length === 2 && [...conv.attributes.keys()].every((key) => key === 'kernel_shape');
  return isPlain ? emitter.constant(conv, 1) : undefined;
}
