/** A network so small that a server, not its network, is what a soak is about. */
import { join } from 'node:path';
import { GraphBuilder } from '#lib/graph/builder.js';
import { randomParams } from '#lib/graph/randomParams.js';
import { defaultPreprocessing } from '#lib/images/preprocessing.js';
import { Model } from '#lib/model.js';

export const SIDE = 16;

/** Saves it in `folder` and returns the file's path. The server calls it by the file's name, "small". */
export async function saveSmallModel(folder: string): Promise<string> {
  const builder = new GraphBuilder('small');
  let x = builder.input({ channels: 3, height: SIDE, width: SIDE });
  x = builder.conv(x, { outChannels: 32, kernel: 3, padding: 1, stride: 2, bias: false });
  builder.output('logits', builder.linear(builder.globalAvgPool(x), { outFeatures: 10 }));
  const graph = builder.build();
  const labels = Array.from({ length: 10 }, (_, i) => ({ id: `c${i}`, name: `class ${i}` }));
  const preprocessing = defaultPreprocessing(SIDE, SIDE);
  const file = join(folder, 'small.safetensors');
  await new Model({ graph, name: 'small', params: randomParams(graph, 1), labels, preprocessing }).save(file);
  return file;
}
