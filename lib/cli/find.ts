/** Networks by what a person calls them. */
import type { Model } from '../model.js';

/** A shipped model, an architecture, also as `<architecture>+<unit>` (with random weights), or a file, in this order. */
export async function findNetwork(name: string): Promise<{ model: Model; isRandom: boolean }> {
  const [{ createModel, loadModel, shippedNames }, { listArchitectures }, { existsSync }, { unknownName }] =
    await Promise.all([
      import('../model.js'),
      import('../architectures/index.js'),
      import('node:fs'),
      import('../check.js'),
    ]);
  const shipped = await shippedNames();
  const architectures = listArchitectures().map((architecture) => architecture.name);
  const isCombination = architectures.includes(name.split('+')[0] ?? '') && !existsSync(name);
  if (!shipped.includes(name) && (architectures.includes(name) || isCombination))
    return { model: createModel(name), isRandom: true };
  // Without a dot or a slash it is a name.
  if (/^[\w+-]+$/.test(name) && !shipped.includes(name) && !existsSync(name)) {
    throw unknownName('model or architecture', name, [...shipped, ...architectures]);
  }
  return { model: await loadModel(name), isRandom: false };
}
