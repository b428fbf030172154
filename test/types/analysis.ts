/** Types of `bitpath/analysis`: compiled, never run. */
import { type Graph, igpResNet } from 'bitpath';
import {
  type Block,
  type CountedRow,
  countCosts,
  countTable1,
  designWidth,
  enumeratePaths,
  type GradientPath,
  type GradientPaths,
  type GraphCosts,
  gradientPaths,
  paretoFront,
  type SearchResult,
  searchArchitectures,
} from 'bitpath/analysis';
import { expectTypeOf } from 'expect-type';

export function analysis(graph: Graph): void {
  expectTypeOf(gradientPaths(graph, { count: 3, scope: 'body.0' })).toEqualTypeOf<GradientPaths>();
  expectTypeOf(gradientPaths((g, x) => igpResNet(g, x, { name: 'b', convs: 7 })).total).toEqualTypeOf<bigint>();
  expectTypeOf<typeof igpResNet>().not.toExtend<Block>();
  expectTypeOf(enumeratePaths(graph)).toEqualTypeOf<Generator<GradientPath>>();
  expectTypeOf(countCosts(graph, { storage: 'all' })).toEqualTypeOf<GraphCosts>();
  expectTypeOf(countTable1()).toEqualTypeOf<readonly CountedRow[]>();
  expectTypeOf(paretoFront([{ a: 1 }], ({ a }) => [a])).toEqualTypeOf<readonly { a: number }[]>();
  expectTypeOf(searchArchitectures({ budget: { storageMbit: 33, gflops: 0.16 } })).toEqualTypeOf<SearchResult>();
  expectTypeOf(gradientPaths(graph, { cost: { binaryConv: 1, conv: 64 } })).toEqualTypeOf<GradientPaths>();
  // @ts-expect-error: cost of an op that is not there
  gradientPaths(graph, { cost: { binaryConvolution: 1 } });
  // @ts-expect-error: a budget has two bounds
  searchArchitectures({ budget: { storageMbit: 33 } });
  // @ts-expect-error: no such rule
  designWidth({ rule: 'params', convs: 7 });
}
