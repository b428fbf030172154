// node training/tests/compare_layers.mjs <folder> <images>: what layers.py wrote there, against the engine. Prints JSON.
import { readFileSync } from 'node:fs';
import { compile } from 'bitpath';
import { loadModel } from '#lib/model.js';
import { compareLayers } from '#lib/onnx/diff/compare.js';
import { endToEnd } from '#lib/onnx/diff/ends.js';
import { layersOf } from '#lib/onnx/diff/layers.js';
const folder = process.argv[2];
const count = Number(process.argv[3]);
const { graph, params } = await loadModel(`${folder}/model.safetensors`);
const bytes = readFileSync(`${folder}/values.bin`);
const maps = new Map();
for (const { name, side, begin, length } of JSON.parse(readFileSync(`${folder}/values.json`, 'utf8'))) {
  const node = graph.nodes.find((one) => one.name === name);
  if (node === undefined) continue;
  const id = side === 'input' ? node.inputs[0] : node.output;
  const { channels, height, width } = graph.values[id].shape;
  if (length !== count * channels * height * width) continue;
  maps.set(id, new Float32Array(bytes.buffer, bytes.byteOffset + 4 * begin, length));
}
const input = graph.nodes.find(({ op }) => op === 'input').output;
const known = new Set(maps.keys());
const layers = await compareLayers(graph, params, maps, count, { threads: 1 });
const covered = new Set(layersOf(graph, known).flatMap(({ nodes }) => nodes.map(({ name }) => name)));
const executor = await compile(graph, params, { threads: 1 });
const { logits } = await executor.run(maps.get(input));
executor.dispose();
console.log(JSON.stringify({
  nodes: graph.nodes.length - 1,
  covered: covered.size,
  worst: Math.max(...layers.map(({ relative }) => relative)),
  wrong: layers.filter(({ verdict }) => verdict !== 'equal').map(({ nodes, verdict, relative, signs, hint }) =>
    ({ nodes, verdict, relative, signs, hint })),
  signs: layers.reduce((sum, { signs }) => sum + signs.clear + signs.near, 0),
  binaryLayers: layers.filter(({ ops }) => ops.includes('binaryConv')).length,
  ends: endToEnd(logits.data, maps.get(graph.outputs[0].value), count),
}));
