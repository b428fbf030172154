/** `channelInteraction` as rounds of comparisons, a sparse 1×1 convolution and a sum. */
import { BitpathError } from '../errors.js';
import type { Node } from '../graph/types.js';
import { onnxError } from './error.js';
import { type ExportContext, paramName } from './exportContext.js';
import { nextDown, nextUp } from './float32.js';
import { MAX_ROUNDS, type Pairs, roundsOf, roundWeights } from './interaction.js';
import { TensorProto_DataType as DataType } from './proto/onnx_pb.js';

const OR_EQUAL = 12;
/** Up to here all integers are float32. */
const MAX_INTEGER = 2 ** 24;

/**
 * y + Conv(Concat(Cast(y ≥ t), Cast(y ≤ −t))) for each round. An output of the Conv is one ±step, the others are 0, so nothing
 * is rounded that `channelInteraction` would not round.
 *
 * @throws `ERR_BITPATH_ONNX` where that takes more than {@link MAX_ROUNDS} rounds.
 */
export function exportInteraction(context: ExportContext, node: Node<'channelInteraction'>): void {
  const { onnx } = context;
  const { channels } = context.shape(node.output);
  const { threshold, step } = node.attrs;
  const pairs = context.params.integers(node, 'pairs');
  checkPairs(node, pairs, channels);
  const rounds = roundsOf(pairs, channels, hasExactSums(context, node));
  if (rounds.count > MAX_ROUNDS) {
    const reason = `node "${node.name}" (channelInteraction) takes ${rounds.count} rounds of pairs that do not depend on each other, and at most ${MAX_ROUNDS} are written`;
    throw onnxError(context.graph.name, reason, { node: node.name, op: node.op, rounds: rounds.count });
  }
  const exact = context.opset >= OR_EQUAL;
  const bound = (role: string, value: number) => onnx.initializer(`${node.name}/${role}`, [], Float32Array.of(value));
  const high = bound('high', exact ? threshold : nextDown(threshold));
  const low = bound('low', exact ? -threshold : nextUp(-threshold));
  const flags = (op: string, y: string, limit: string) => {
    const flag = onnx.helper(op, node.name, [y, limit]);
    return onnx.helper('Cast', node.name, [flag], { to: BigInt(DataType.FLOAT) });
  };
  let y = context.map(node.inputs[0] ?? -1);
  for (let round = 0; round < rounds.count; round++) {
    const above = flags(exact ? 'GreaterOrEqual' : 'Greater', y, high);
    const below = flags(exact ? 'LessOrEqual' : 'Less', y, low);
    const both = onnx.helper('Concat', node.name, [above, below], { axis: 1n });
    const weights = roundWeights(pairs, rounds, round, channels, step);
    const weight = onnx.initializer(`${node.name}.weight`, [channels, 2 * channels, 1, 1], weights);
    const change = onnx.helper('Conv', node.name, [both, weight], { kernel_shape: [1, 1] });
    if (round === rounds.count - 1) context.emit(node, 'Add', [y, change]);
    else y = onnx.helper('Add', node.name, [y, change]);
  }
}

function checkPairs(node: Node<'channelInteraction'>, pairs: Pairs, channels: number): void {
  const at = pairs.findIndex((channel, i) => i % 3 < 2 && !(channel >= 0 && channel < channels));
  if (at === -1) return;
  const reason = `element ${at} is ${pairs[at]}, expected a channel from 0 to ${channels - 1}`;
  throw new BitpathError('ERR_BITPATH_PARAM', { param: paramName(node, 'pairs'), reason });
}

/** True where all sums are of integers that float32 has: those of a 1-bit convolution, and a whole step. */
function hasExactSums({ graph }: ExportContext, { inputs, attrs }: Node<'channelInteraction'>): boolean {
  const conv = graph.nodes.find(({ output }) => output === inputs[0]);
  if (conv?.op !== 'binaryConv' || conv.attrs.scale || !Number.isInteger(attrs.step)) return false;
  const taps = (conv.params['bits']?.shape ?? []).slice(1).reduce((product, size) => product * size, 1);
  return taps + attrs.pairs * Math.abs(attrs.step) <= MAX_INTEGER;
}
