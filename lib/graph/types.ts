/**
 * The intermediate representation: what a network is, before anybody decides how to run it.
 *
 * A {@link Graph} is plain, frozen, JSON-serialisable data. Values are per image: the batch is chosen when a graph is
 * compiled or run. Parameters are named here and stored elsewhere (see `Params`), so a graph alone is a few kilobytes.
 */

/**
 * Real-valued feature maps are `float32`. Binarised ones have an alphabet: `bit` is {−1, +1}, the output of `sign`; `bit01` is
 * {0, 1}, of `heaviside`; `ternary` is {−1, 0, +1}, of `ternary`.
 */
export type ValueType = 'float32' | 'bit' | 'bit01' | 'ternary';

/** Shape of one image's feature map. All three are integers ≥ 1. */
export interface Shape {
  /** Number of maps. */
  readonly channels: number;
  /** Rows of pixels. */
  readonly height: number;
  /** Columns of pixels. */
  readonly width: number;
}

/** A feature map in the graph; `id` indexes {@link Graph.values}. */
export interface Value {
  /** Its place in {@link Graph.values}. */
  readonly id: number;
  /** What its elements are. */
  readonly type: ValueType;
  /** Of one image. */
  readonly shape: Shape;
}

/** `[height, width]`. */
export type Pair = readonly [number, number];
/** `[top, left, bottom, right]`, as ONNX orders `pads`. */
export type Padding = readonly [number, number, number, number];

/** Attributes common to everything that slides a window. */
export interface WindowAttrs {
  /** Size of the window. */
  readonly kernel: Pair;
  /** Step from one window to the next. */
  readonly stride: Pair;
  /** Rows and columns beyond the map. */
  readonly padding: Padding;
}
/** Attributes of convolutions. */
export interface ConvAttrs extends WindowAttrs {
  /** Filters, O. */
  readonly outChannels: number;
  /** Distance between neighbouring taps. */
  readonly dilation: Pair;
  /** Parts that input and output channels are divided into, each with filters of its own. */
  readonly groups: number;
}

/** Every op with its attributes. One op is one file in `lib/graph/ops/`. */
export interface OpAttrs {
  /** The network's input, a real-valued map. */
  input: Shape;
  /** +1 where x ≥ threshold (0, or one per channel: param `threshold`), else −1. NaN gives −1; −0.0 gives +1 at threshold 0. */
  sign: {
    /** Compares with the param instead of with 0. */
    readonly threshold: boolean;
  };
  /** 1 where x ≥ threshold (0, or one per channel: param `threshold`), else 0. NaN gives 0. */
  heaviside: {
    /** Compares with the param instead of with 0. */
    readonly threshold: boolean;
  };
  /** +1 where x ≥ threshold, −1 where x ≤ −threshold, else 0 (and 0 where both hold). Param `threshold` [C] ≥ 0. NaN gives −1. */
  ternary: Record<string, never>;
  /** Σ activation · ±1 over the taps; taps outside the map count as `padValue` (0 in the real-valued sense). Params `bits`, optional `scale`: y = dot · scale[o]. */
  binaryConv: ConvAttrs & {
    /** What a tap on padding counts as. */
    readonly padValue: 0 | 1 | -1;
    /** Has the param `scale` [O]. */
    readonly scale: boolean;
  };
  /** Real-valued convolution, zero padding. Params `weight` [O, I/groups, kh, kw], optional `bias` [O]. */
  conv: ConvAttrs & {
    /** Has the param `bias` [O]. */
    readonly bias: boolean;
  };
  /** y = x·W^T + b on a 1×1 map. Params `weight` [O, I], optional `bias` [O]. */
  linear: {
    /** Outputs, O. */
    readonly outFeatures: number;
    /** Has the param `bias` [O]. */
    readonly bias: boolean;
  };
  /** Inference batch normalisation. Params `weight`, `bias`, `running_mean`, `running_var`, each [C]. */
  batchNorm: {
    /** Added to the variance, ≥ 0. */
    readonly eps: number;
  };
  /** Real-valued input, ±1 weights. Params `bits`, optional `scale`: y = Σ x·w · scale[o]. Padding is 0. */
  binaryWeightConv: ConvAttrs & {
    /** Has the param `scale` [O]. */
    readonly scale: boolean;
  };
  /** a + b. b has a's shape, or is broadcast: C×1×1, 1×H×W or 1×1×1. */
  add: Record<string, never>;
  /** a · b, with the shapes of `add`. */
  mul: Record<string, never>;
  /** y = x + bias[c]. Param `bias` [C]. */
  bias: Record<string, never>;
  /** Channels one after another, in input order. */
  concat: Record<string, never>;
  /** y = x · factor (a finite float32). */
  scale: {
    /** A finite float32 number. */
    readonly factor: number;
  };
  /** y = x · alpha[c] · (beta[y] · gamma[x]). Params `alpha` [C], `beta` [H], `gamma` [W]. */
  rank1Scale: Record<string, never>;
  /** y = 0 for x < 0, else x. */
  relu: Record<string, never>;
  /** y = −x for x < 0, else x. */
  abs: Record<string, never>;
  /** y = 1 / (1 + e^−x), within 2⁻²² absolutely. */
  sigmoid: Record<string, never>;
  /** y = min for x < min, max for x > max, else x. NaN stays. Both bounds are finite float32 numbers, min < max. */
  hardtanh: {
    /** Lower bound. */
    readonly min: number;
    /** Upper bound. */
    readonly max: number;
  };
  /** y = x for x ≥ 0, else x · weight[c]. Param `weight` [C]. */
  prelu: Record<string, never>;
  /** Padding is −∞. */
  maxPool: WindowAttrs;
  /** Divides by the window's size, or by its taps inside the map where `countIncludePad` is false. */
  avgPool: WindowAttrs & {
    /** Divides by the window's size, padding included. */
    readonly countIncludePad: boolean;
  };
  /** Mean over the whole map; the result is 1×1. */
  globalAvgPool: Record<string, never>;
  /** Mean over the channels; the result has one. */
  channelMean: Record<string, never>;
  /** Channels from … from + channels − 1. */
  slice: {
    /** First channel. */
    readonly from: number;
    /** How many. */
    readonly channels: number;
  };
  /** `before` zero channels, the map's, `after` zero channels. */
  padChannels: {
    /** Zero channels in front. */
    readonly before: number;
    /** Zero channels behind. */
    readonly after: number;
  };
  /**
   * CI-BCNN's interactions: for each pair (source, target, sign) in order, y starting as x: with a = [y_source ≥ threshold] and
   * b = [y_source ≤ −threshold], y_target += step · (a − b) for sign > 0, y_target −= step · (a + b) for sign < 0.
   * Param `pairs`, int32 [pairs, 3].
   */
  channelInteraction: {
    /** Rows of the param `pairs`. */
    readonly pairs: number;
    /** A finite float32 number > 0. */
    readonly threshold: number;
    /** A finite float32 number. */
    readonly step: number;
  };
}
/** Name of an op. */
export type OpName = keyof OpAttrs;

/**
 * A parameter: the tensor's name in a model file, and its shape there. `bits` params are stored as uint8
 * [O, ⌈kh·kw·I/groups / 8⌉], K in (kh, kw, I) order, least significant bit first, 1 = +1, tail bits zero;
 * `shape` is then the logical [O, kh, kw, I/groups]. `int32` params are indices.
 */
export interface ParamSpec {
  /** Name of the tensor. */
  readonly name: string;
  /** How it is stored. */
  readonly type: 'float32' | 'bits' | 'int32';
  /** [O, kh, kw, I/groups] of `bits`; otherwise the tensor's own. */
  readonly shape: readonly number[];
}

/** An op applied to values. */
export interface Node<Op extends OpName = OpName> {
  /** Name of the op. */
  readonly op: Op;
  /** Unique within the graph, PyTorch-style: `body.0.u.conv`. */
  readonly name: string;
  /** Ids of the values read. */
  readonly inputs: readonly number[];
  /** Id of the one value written. */
  readonly output: number;
  /** The op's attributes, defaults filled in. */
  readonly attrs: OpAttrs[Op];
  /** Parameter role (`weight`, `bits`, `scale`, `running_mean`, …) → spec. */
  readonly params: Readonly<Record<string, ParamSpec>>;
}
/** A node whose `op` can be narrowed on (`switch (node.op)`). */
export type AnyNode = { [Op in OpName]: Node<Op> }[OpName];

/** An output of a graph. */
export interface GraphOutput {
  /** What results are called by. */
  readonly name: string;
  /** Value id; the value is `float32`. */
  readonly value: number;
}

/** Nodes are in topological order, exactly one of them is the `input`, and the order is the order of execution. */
export interface Graph {
  /** Of the network. */
  readonly name: string;
  /** In order of execution. */
  readonly nodes: readonly AnyNode[];
  /** All feature maps, by id. */
  readonly values: readonly Value[];
  /** In their order; at least one. */
  readonly outputs: readonly GraphOutput[];
}
