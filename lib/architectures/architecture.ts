/** What an architecture says of itself. */
import type { Join, Unit } from '../blocks/unit.js';
import type { GraphBuilder } from '../graph/builder.js';
import type { Value } from '../graph/types.js';

/** The paper's Table 1, where the network has a row. Errors in per cent, ImageNet; computation as the paper counts it. */
export interface Reported {
  readonly top1Error?: number;
  readonly top5Error?: number;
  readonly storageMbit: number;
  readonly gflops: number;
}

/** Further options of `buildArchitecture` that an architecture takes. */
export type ArchitectureOption = 'join' | 'unit';

/** What a body builder gets, defaults filled in. `unit` is undefined where the blocks' own default is wanted. */
export interface BodyOptions {
  readonly classes: number;
  readonly join: Join;
  readonly unit: Unit | undefined;
}

export interface Architecture {
  readonly name: string;
  /** As the paper writes it. */
  readonly title: string;
  /** Where the configuration comes from. */
  readonly source: string;
  /** `fact`: the paper, or the paper it cites, says all of it. `reconstructed`: some of it is a declared choice. */
  readonly status: 'fact' | 'reconstructed';
  readonly reported: Reported | null;
  readonly options: readonly ArchitectureOption[];
  /** Builds everything between the input and the logits. */
  readonly body: (graph: GraphBuilder, x: Value, options: BodyOptions) => Value;
}

/** A row of Table 1. */
export function table1(top1Error: number, top5Error: number, storageMbit: number, gflops: number): Reported {
  return { top1Error, top5Error, storageMbit, gflops };
}

/** Global average pool and the classifier `fc`. */
export function classifier(graph: GraphBuilder, x: Value, classes: number): Value {
  return graph.linear(graph.globalAvgPool(x, { name: 'pool' }), { name: 'fc', outFeatures: classes });
}

/** Block options with the unit left out where it is undefined. */
export function withUnit<T extends object>(options: T, unit: Unit | undefined): T & { readonly unit?: Unit } {
  return unit === undefined ? options : { ...options, unit };
}
