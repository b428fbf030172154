// node training/print_graph.mjs <architecture> <classes> <input size> [mean | sum] [unit scale]: the graph as a model file
// carries it.
import { graphToJson } from '#lib/graph/index.js';
import { buildGraph } from './build_graph.mjs';

const [architecture, classes, inputSize, join = 'mean', unitScale = '1'] = process.argv.slice(2);
const graph = buildGraph({
  architecture,
  classes: Number(classes),
  inputSize: Number(inputSize),
  join,
  unitScale: Number(unitScale),
});
process.stdout.write(JSON.stringify(graphToJson(graph)));
