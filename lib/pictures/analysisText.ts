/** Levels, parts and shares of an analysis in words, the same in text, tables and pictures. */
import type { GradientPaths, PathLevel } from '../analysis/gradientPaths.js';
import type { Architecture } from '../architectures/index.js';
import type { Lane } from './blockPicture.js';
import type { BlockAnalysis } from './networkAnalysis.js';
import { bigText, operations, ordinal, pathsText, shapeText } from './words.js';

/** "47.44 M", or "47.44 M … 94.89 M" where a level has several costs. */
export function costText({ cost, maxCost }: PathLevel): string {
  return cost === maxCost ? operations(cost) : `${operations(cost)} … ${operations(maxCost)}`;
}

/** "1", or "1 … 3" where paths of one cost have several lengths. */
export function lengthText({ lengths }: PathLevel): string {
  const [first, last] = [lengths[0]?.length ?? 0, lengths.at(-1)?.length ?? 0];
  return first === last ? String(first) : `${first} … ${last}`;
}

/** Level, N, L, paths. */
export function levelRows({ levels }: GradientPaths): readonly (readonly string[])[] {
  return levels.map((level, i) => [ordinal(i + 1), costText(level), lengthText(level), bigText(level.count)]);
}

export function lanesOf({ paths, drawn }: BlockAnalysis): readonly Lane[] {
  return paths.levels.flatMap((level, i) => {
    const edges = drawn[i];
    if (edges === undefined) return [];
    return [
      {
        rank: ordinal(i + 1),
        cost: costText(level),
        length: lengthText(level),
        paths: pathsText(level.count),
        example: edges.example,
      },
    ];
  });
}

/** "body.0: 7 1-bit convolutions, 41 × 56 × 56 in and out". */
export function blockText({ name, convs, inputShape, outputShape }: BlockAnalysis): string {
  const [from, to] = [shapeText(inputShape), shapeText(outputShape)];
  const shapes = from === to ? `${from} in and out` : `${from} in, ${to} out`;
  const count = convs === 1 ? 'one 1-bit convolution' : `${convs === 0 ? 'no' : convs} 1-bit convolutions`;
  return `${name}: ${count}, ${shapes}`;
}

/** What the paper reports, or null. */
export function reportedText(architecture: Architecture | null): string | null {
  const reported = architecture?.reported;
  if (reported === undefined || reported === null) return null;
  const error =
    reported.top1Error === undefined || reported.top1Error === null
      ? ''
      : `top-1 error ${reported.top1Error.toFixed(2)} %, `;
  return `${error}${reported.storageMbit} Mbit, ${reported.gflops} GFLOPs`;
}
