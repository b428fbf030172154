/**
 * The compiler: a graph and its parameters in, a Program for native code out. Each pass is a pure function in a file of its
 * own, and this is their order.
 */
import { checkParams } from '../graph/params.js';
import type { Graph } from '../graph/types.js';
import type { Params } from '../tensor.js';
import { distribute } from './distribute.js';
import { encode } from './encode.js';
import { fold } from './fold.js';
import { fuse } from './fuse.js';
import { joinConcats } from './join.js';
import { acceptPixels, type Normalization } from './pixels.js';
import { planMemory } from './plan.js';
import { poolConvs } from './poolConvs.js';
import type { Program } from './program.js';
import { prune } from './prune.js';
import { foldThresholds } from './thresholds.js';

export { checkNormalization, type Normalization } from './pixels.js';
export type { Program } from './program.js';

export interface CompilerOptions {
  /** Images of one pass over the Program. */
  readonly batch: number;
  /** How uint8 pixels become the numbers that the network was trained on; null: float32 input only. */
  readonly normalization: Normalization | null;
}

/** Compiles `graph`. Throws `ERR_BITPATH_PARAM`, `ERR_BITPATH_GRAPH`, `ERR_BITPATH_MEMORY`. */
export function compileProgram(graph: Graph, params: Params, { batch, normalization }: CompilerOptions): Program {
  checkParams(graph, params);
  const folded = foldThresholds(fold(prune(graph), params));
  const { graph: joined, homes } = joinConcats(distribute(folded));
  const floats = fuse(joined);
  const stems = normalization === null ? floats : acceptPixels(floats, joined, normalization);
  const fused = poolConvs(stems, joined, homes);
  const plan = planMemory(fused, joined.values, homes, joined.outputs, batch);
  return encode(joined, fused, homes, plan, batch);
}
