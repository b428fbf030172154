// The graph of a network as the Python side names it: an architecture, a join, a factor on what its units add.
import { buildArchitecture } from '#lib/architectures/index.js';
import { binaryUnit } from '#lib/blocks/unit.js';

export function buildGraph({ architecture, classes, inputSize, join = 'mean', unitScale = 1 }) {
  const scaledUnit = (graph, x, options) => graph.scale(binaryUnit(graph, x, options), { factor: unitScale });
  return buildArchitecture(architecture, {
    classes,
    inputSize,
    ...(join === 'mean' ? {} : { join }),
    ...(unitScale === 1 ? {} : { unit: scaledUnit }),
  });
}
