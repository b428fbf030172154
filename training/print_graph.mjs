// node training/print_graph.mjs <architecture> <classes> <input size> [mean | sum] [unit scale]: the graph as a model file
// carries it.
import { buildArchitecture } from '#lib/architectures/index.js';
import { binaryUnit } from '#lib/blocks/unit.js';
import { graphToJson } from '#lib/graph/index.js';

const [architecture, classes, inputSize, join = 'mean', unitScale = '1'] = process.argv.slice(2);
const factor = Number(unitScale);
const scaledUnit = (graph, x, options) => graph.scale(binaryUnit(graph, x, options), { factor });
const graph = buildArchitecture(architecture, {
  classes: Number(classes),
  inputSize: Number(inputSize),
  ...(join === 'mean' ? {} : { join }),
  ...(factor === 1 ? {} : { unit: scaledUnit }),
});
process.stdout.write(JSON.stringify(graphToJson(graph)));
