/** What the builder's methods take, one type an op. */
export type { AvgPoolOptions } from './avgPool.js';
export type { BatchNormOptions } from './batchNorm.js';
export type { BinaryConvOptions } from './binaryConv.js';
export type { BinaryWeightConvOptions } from './binaryWeightConv.js';
export type { ChannelInteractionOptions } from './channelInteraction.js';
export type { RealConvOptions } from './conv.js';
export type { HardtanhOptions } from './hardtanh.js';
export type { HeavisideOptions } from './heaviside.js';
export type { InputOptions } from './input.js';
export type { LinearOptions } from './linear.js';
export type { MaxPoolOptions } from './maxPool.js';
export type { NameOption } from './op.js';
export type { PadChannelsOptions } from './padChannels.js';
export type { ScaleOptions } from './scale.js';
export type { SignOptions } from './sign.js';
export type { SliceOptions } from './slice.js';
export type { ConvOptions, PaddingOption, PairOption, WindowOptions } from './window.js';
