// node training/print_graph.mjs <architecture> <classes> <input size> [mean | sum]: the graph as a model file carries it.
import { buildArchitecture } from '#lib/architectures/index.js';
import { graphToJson } from '#lib/graph/index.js';

const [architecture, classes, inputSize, join = 'mean'] = process.argv.slice(2);
const joined = join === 'mean' ? {} : { join };
const graph = buildArchitecture(architecture, { classes: Number(classes), inputSize: Number(inputSize), ...joined });
process.stdout.write(JSON.stringify(graphToJson(graph)));
