/** What an import did, for people and programs. */

/** A convolution or fully connected layer of the file. */
export interface Convolution {
  /** The node in the file. */
  readonly node: string;
  /** `Conv`, `Gemm` or `MatMul`. */
  readonly op: string;
  /** Did it become 1-bit? */
  readonly binary: boolean;
  /** Why it is binary, or why it is not. */
  readonly reason: string;
  /** [O, I / groups, kernel height, kernel width]. */
  readonly weight: readonly [number, number, number, number];
  /** Multiply-accumulates for one image. */
  readonly macs: number;
  /** Of its weights and scales as they are stored now. */
  readonly bytes: number;
  /** Of its weights as float32. */
  readonly floatBytes: number;
  /** What taps on the padding count as. */
  readonly padValue: 0 | 1 | -1;
}

/** Kinds of changes that an import reports. */
export type NoteKind =
  | 'sign-zero'
  | 'sign-as-float'
  | 'estimator'
  | 'inexact'
  | 'softmax'
  | 'channels'
  | 'input-nhwc'
  | 'float';

const NOTES: Readonly<Record<NoteKind, string>> = {
  'sign-zero':
    'these signs are 0 at their threshold in the file, as torch.sign is, and +1 here: exact zeros count as +1',
  'sign-as-float':
    'these activations are read by something other than a 1-bit convolution: a 1×1 convolution turns their bits into numbers',
  estimator:
    'these were signs with the remains of a straight-through estimator, s − p + p; p was removed (it rounds, by about 1e-7)',
  inexact: 'weights of these are ±s for each output channel only nearly; s is the mean of their sizes',
  softmax: 'these were left out: the outputs are logits, in the same order',
  channels: 'these take channels that do not lie side by side, which a 1×1 convolution by 0 and 1 does here',
  'input-nhwc': 'the input is N×H×W×C in the file and N×C×H×W here',
  float: 'these are float16, bfloat16 or float64 in the file; everything is computed in float32 here',
};
/** Something that was changed on the way. */
export interface Note {
  /** What kind of change. */
  readonly kind: NoteKind;
  /** The same for people. */
  readonly text: string;
  /** Names of the nodes (or values) that it is about. */
  readonly nodes: readonly string[];
}

export class ReportNotes {
  readonly #nodes = new Map<NoteKind, string[]>();

  add(kind: NoteKind, node: string): void {
    const list = this.#nodes.get(kind);
    if (list === undefined) this.#nodes.set(kind, [node]);
    else list.push(node);
  }

  list(): Note[] {
    return [...this.#nodes].map(([kind, nodes]) => ({ kind, text: NOTES[kind], nodes }));
  }
}

/** What an import did. */
export interface OnnxReport {
  /** As the file names it; may be empty. */
  readonly producer: string;
  /** Version of the default operator set. */
  readonly opset: number;
  /** The network's input. */
  readonly input: {
    /** In the file. */
    readonly name: string;
    /** [channels, height, width]. */
    readonly shape: readonly [number, number, number];
  };
  /** The network's outputs. */
  readonly outputs: readonly {
    /** In the file. */
    readonly name: string;
    /** [channels, height, width]. */
    readonly shape: readonly [number, number, number];
  }[];
  /** In order of execution. */
  readonly convolutions: readonly Convolution[];
  /** What was changed on the way. */
  readonly notes: readonly Note[];
  /** ±1 multiply-accumulates of one image. */
  readonly binaryMacs: number;
  /** Full-precision multiply-accumulates of one image. */
  readonly realMacs: number;
}
