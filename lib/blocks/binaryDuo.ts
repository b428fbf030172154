import { argumentError, checkBoolean, checkOptions } from '../check.js';
import type { GraphBuilder } from '../graph/builder.js';
import type { Value } from '../graph/types.js';
import { poolUp } from './downsample.js';
import { conv3x3 } from './units/conv.js';

/** Options of {@link binaryDuo}. */
export interface BinaryDuoOptions {
  /** Scope of the block's nodes. */
  readonly name: string;
  /** C of the output, which has 2C channels. Half the input's by default. */
  readonly outChannels?: number;
  /** Default 1. */
  readonly stride?: number;
  /** The network's last block: C channels come out, and its shortcut is the mean of the copies between zeros. Default false. */
  readonly last?: boolean;
}

/**
 * The channels of `x` twice, one copy after the other.
 *
 * @throws What the methods of {@link GraphBuilder} throw.
 */
export function replicate(graph: GraphBuilder, x: Value): Value {
  return graph.concat([x, x]);
}

/**
 * The mean of the two copies that {@link replicate} made.
 *
 * @throws What the methods of {@link GraphBuilder} throw.
 */
export function meanOfCopies(graph: GraphBuilder, x: Value): Value {
  const channels = x.shape.channels / 2;
  const [first, second] = [0, channels].map((from) => graph.slice(x, { from, channels })) as [Value, Value];
  return graph.scale(graph.add(first, second), { factor: 0.5 });
}

/**
 * Block of BinaryDuo, decoupled. The stream has every channel twice, so that each has two thresholds, and a ternary activation
 * becomes two of {0, 1}: y = BN₂C(replicate(h(x) ⊛ α·s(W))) + s, h(x) = [x ≥ threshold] ([clip(x, 0, 1) ≥ ½] there), the conv
 * from 2C channels to C'. s is x, or: mean of the copies → average pool → 1×1 conv `down.1` → BatchNorm `down.2` → replicate.
 * Source: BinaryDuo's `resnet_sc_decoupled`.
 *
 * @throws What the methods of {@link GraphBuilder} throw.
 */
export function binaryDuo(graph: GraphBuilder, x: Value, options: BinaryDuoOptions): Value {
  checkOptions('binaryDuo', options, ['name', 'outChannels', 'stride', 'last']);
  const inChannels = x.shape.channels / 2;
  if (!Number.isInteger(inChannels))
    throw argumentError('input of binaryDuo', 'a map of each channel twice', x.shape.channels);
  const { name, outChannels = inChannels, stride = 1 } = options;
  const last = checkBoolean('last of binaryDuo', options.last ?? false);
  if (last && (stride !== 1 || outChannels < inChannels))
    throw argumentError(
      'last of binaryDuo',
      'false for a block with stride or with fewer channels than before it',
      last,
    );
  return graph.scope(name, () => {
    const identity = last
      ? widened(graph, meanOfCopies(graph, x), outChannels)
      : duoShortcut(graph, x, outChannels, stride);
    const branch = graph.scope('u', () => {
      const bits = graph.heaviside(x, { name: 'heaviside', threshold: true });
      const sum = conv3x3(graph, bits, { name: 'u', outChannels, stride }, { scale: true });
      return graph.batchNorm(last ? sum : replicate(graph, sum), { name: 'bn' });
    });
    return graph.add(branch, identity);
  });
}

function duoShortcut(graph: GraphBuilder, x: Value, outChannels: number, stride: number): Value {
  if (stride === 1 && 2 * outChannels === x.shape.channels) return x;
  return graph.scope('down', () => {
    const pooled = poolUp(graph, meanOfCopies(graph, x), stride);
    const conv = graph.conv(pooled, { name: '1', outChannels, kernel: 1, bias: false });
    return replicate(graph, graph.batchNorm(conv, { name: '2' }));
  });
}

function widened(graph: GraphBuilder, x: Value, channels: number): Value {
  return channels === x.shape.channels ? x : graph.padChannels(x, { after: channels - x.shape.channels });
}
