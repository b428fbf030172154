// node network.js: prints the network as JSON, for train.py.
import { biReal, GraphBuilder, graphToJson } from 'bitpath';

const builder = new GraphBuilder('shapes');
let x = builder.input({ channels: 1, height: 16, width: 16 });
x = builder.conv(x, { name: 'conv', outChannels: 16, kernel: 3, padding: 1, bias: false });
x = builder.batchNorm(x, { name: 'bn' });
x = biReal(builder, x, { name: 'body.0' }); // x + BatchNorm(1-bit 3×3 conv(sign(x)))
x = biReal(builder, x, { name: 'body.1', outChannels: 32, stride: 2 });
x = biReal(builder, x, { name: 'body.2' });
builder.output('logits', builder.linear(builder.globalAvgPool(x), { name: 'fc', outFeatures: 4 }));

console.log(JSON.stringify(graphToJson(builder.build())));
