import { type Graph, GraphBuilder } from 'bitpath';

/** Uses every op, two outputs of different shape. */
export function everyOp(): Graph {
  const graph = new GraphBuilder('every op');
  const x = graph.input({ channels: 4, height: 9, width: 8 });
  const bits = graph.sign(x, { threshold: true });
  const binary = graph.binaryConv(bits, {
    outChannels: 6,
    kernel: [3, 2],
    stride: [2, 1],
    padding: [1, 0],
    dilation: [1, 2],
    groups: 2,
    padValue: -1,
    scale: true,
  });
  const normal = graph.batchNorm(binary, { eps: 1e-3 });
  const conv = graph.conv(x, { outChannels: 6, kernel: [3, 3], stride: [2, 1], padding: [1, 0, 1, 0] });
  const sum = graph.scale(graph.add(conv, normal), { factor: 0.1 });
  const joined = graph.concat([graph.relu(sum), graph.prelu(sum), graph.hardtanh(sum, { max: 2 })]);
  const pooled = graph.maxPool(joined, { kernel: 3, stride: 2, padding: 1 });
  const means = graph.avgPool(joined, { kernel: 2, padding: [0, 0, 1, 1], countIncludePad: false });
  graph.output('logits', graph.linear(graph.globalAvgPool(pooled), { outFeatures: 5, bias: false }));
  graph.output('means', means);
  return graph.build();
}
