/** A network that costs nothing, and what it is asked. Knows no test runner, so that programs can use it. */
import { GraphBuilder, Model, randomParams } from 'bitpath';
import { defaultPreprocessing } from 'bitpath/images';

export const SIDE = 8;
export const CLASSES = 5;
/** Values of one picture. */
export const VALUES = 3 * SIDE * SIDE;

/** A network of one convolution, which takes pictures and has two outputs. Each seed gives another one. */
export function tinyModel(seed = 1, name = 'tiny'): Model {
  const builder = new GraphBuilder(name);
  let x = builder.input({ channels: 3, height: SIDE, width: SIDE });
  x = builder.conv(x, { outChannels: 4, kernel: 3, padding: 1, bias: false });
  builder.output('logits', builder.linear(builder.globalAvgPool(x), { outFeatures: CLASSES }));
  builder.output('map', x);
  const graph = builder.build();
  return new Model({
    graph,
    name,
    params: randomParams(graph, seed),
    labels: Array.from({ length: CLASSES }, (_, i) => ({ id: `c${i}`, name: `class: ${i}` })),
    preprocessing: defaultPreprocessing(SIDE, SIDE),
  });
}

/** `count` pictures of made-up floats. */
export function floats(count: number, seed = 1): Float32Array<ArrayBuffer> {
  return Float32Array.from(
    { length: count * VALUES },
    (_, i) => ((Math.imul(i + seed * 104729, 0x9e3779b1) >>> 16) / 65536) * 4 - 2,
  );
}
