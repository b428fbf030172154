/** What is drawn, before anybody knows where: boxes and the data that flows between them. */

/**
 * `binary`: computes on bits; `real`: full precision; `join`: branches meet (add, concat); `step`: element-wise, no weights to
 * speak of; `end`: where data comes in or leaves.
 */
export type BoxKind = 'binary' | 'real' | 'join' | 'step' | 'end';

export interface Box {
  readonly id: string;
  readonly kind: BoxKind;
  readonly title: string;
  /** Below the title. */
  readonly lines: readonly string[];
  /** Written small in a corner: the scope in the graph. */
  readonly name: string;
  /** Operations to back-propagate through it, and 1-bit convolutions on the way. */
  readonly cost: number;
  readonly length: number;
}

export interface Edge {
  /** Indices of boxes. */
  readonly from: number;
  readonly to: number;
  /** Data that only weighs other data (a gate, a map of factors): drawn, and on no gradient path. */
  readonly isSide?: true;
}

/** Boxes are in topological order, the first one where data comes in, the last one where it leaves. */
export interface Diagram {
  readonly boxes: readonly Box[];
  readonly edges: readonly Edge[];
}
