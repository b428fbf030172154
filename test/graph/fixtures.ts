import { type Graph, GraphBuilder, type Value } from 'bitpath';

/** Uses every op, three outputs of different shape. */
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
  const levels = [graph.heaviside(sum, { threshold: true }), graph.ternary(sum)].map((activations) =>
    graph.binaryConv(activations, { outChannels: 5, kernel: 3, padding: 1 }),
  );
  const weighed = graph.binaryWeightConv(graph.abs(sum), { outChannels: 5, kernel: 1, scale: true });
  const gate = graph.sigmoid(graph.linear(graph.globalAvgPool(weighed), { outFeatures: 5 }));
  const gated = graph.add(graph.mul(weighed, gate), graph.channelMean(weighed));
  const interacting = graph.channelInteraction(levels[0] as Value, { pairs: 3, threshold: 2, step: 1 });
  const scaled = graph.add(graph.rank1Scale(interacting), graph.bias(levels[1] as Value));
  const padded = graph.padChannels(graph.slice(graph.add(scaled, gated), { from: 1, channels: 3 }), { after: 2 });
  graph.output('levels', padded);
  const pooled = graph.maxPool(joined, { kernel: 3, stride: 2, padding: 1 });
  const means = graph.avgPool(joined, { kernel: 2, padding: [0, 0, 1, 1], countIncludePad: false });
  graph.output('logits', graph.linear(graph.globalAvgPool(pooled), { outFeatures: 5, bias: false }));
  graph.output('means', means);
  return graph.build();
}
