// node training/print_graph.mjs <architecture> <classes> <input size>: the graph as a model file carries it.
import { buildArchitecture } from '#lib/architectures/index.js';
import { graphToJson } from '#lib/graph/index.js';

const [architecture, classes, inputSize] = process.argv.slice(2);
const graph = buildArchitecture(architecture, { classes: Number(classes), inputSize: Number(inputSize) });
process.stdout.write(JSON.stringify(graphToJson(graph)));
