/** What an architecture says of itself. */
import type { Join, Unit } from '../blocks/unit.js';
import type { GraphBuilder } from '../graph/builder.js';
import type { Value } from '../graph/types.js';

/** The paper's Table 1, where the network has a row. Errors in per cent, ImageNet; computation as the paper counts it. */
export interface Reported {
  /** Per cent; left out for networks that the paper does not train. */
  readonly top1Error?: number;
  /** Per cent; left out where the table has a dash. */
  readonly top5Error?: number;
  /** Storage in 10⁶ bits. */
  readonly storageMbit: number;
  /** 10⁹ operations: 1-bit multiply-accumulates / 64 and full-precision ones. */
  readonly gflops: number;
}

/** Further options of `buildArchitecture` that an architecture takes. */
export type ArchitectureOption = 'join' | 'unit';

/** What a body builder gets, defaults filled in. `unit` is undefined where the blocks' own default is wanted. */
export interface BodyOptions {
  /** Logits to end with. */
  readonly classes: number;
  /** How branches meet. */
  readonly join: Join;
  /** The unit to build with; undefined for the family's own. */
  readonly unit: Unit | undefined;
}

/**
 * How sure the graph is. `fact`: the paper, or the papers and the code that it cites, say all of it. `reconstructed`: some of it
 * is inferred from what they say. `declared`: some of it is our own choice, because nothing that we could read says it.
 */
export type ArchitectureStatus = 'fact' | 'reconstructed' | 'declared';

/** What {@link listArchitectures} says of a network that {@link buildArchitecture} knows by name. */
export interface Architecture {
  /** Such as `igp-resnet37-41`. */
  readonly name: string;
  /** As the paper writes it. */
  readonly title: string;
  /** Where the configuration comes from, and what of it is inferred or chosen. */
  readonly source: string;
  /** How sure its graph is. */
  readonly status: ArchitectureStatus;
  /** What its graph has that Bi-Real ResNet18's has not; empty for Bi-Real networks. */
  readonly beyond: string;
  /** The architecture whose graph it is, where the method changes training, or values of parameters, only. */
  readonly sameGraphAs: string | null;
  /** Its rows in the paper's Table 1, counted from 1. */
  readonly rows: readonly number[];
  /** What the paper reports of it; null where it has no row. */
  readonly reported: Reported | null;
  /** Which options of {@link ArchitectureOptions} it takes, besides `classes` and `inputSize`. */
  readonly options: readonly ArchitectureOption[];
  /** Builds everything between the input and the logits. */
  readonly body: (graph: GraphBuilder, x: Value, options: BodyOptions) => Value;
}

/** A row of Table 1; `top5Error` is null where it has a dash. */
export function table1(top1Error: number, top5Error: number | null, storageMbit: number, gflops: number): Reported {
  return { top1Error, ...(top5Error === null ? {} : { top5Error }), storageMbit, gflops };
}

export interface ClassifierOptions {
  /** BatchNorm `fc_norm` between the pool and the classifier. Default false. */
  readonly norm?: boolean;
}

/** Global average pool and the classifier `fc`. */
export function classifier(
  graph: GraphBuilder,
  x: Value,
  classes: number,
  { norm = false }: ClassifierOptions = {},
): Value {
  const pooled = graph.globalAvgPool(x, { name: 'pool' });
  const features = norm ? graph.batchNorm(pooled, { name: 'fc_norm' }) : pooled;
  return graph.linear(features, { name: 'fc', outFeatures: classes });
}

/** Block options with the unit left out where it is undefined. */
export function withUnit<T extends object>(options: T, unit: Unit | undefined): T & { readonly unit?: Unit } {
  return unit === undefined ? options : { ...options, unit };
}
