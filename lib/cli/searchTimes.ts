/** Times of networks that a search found, with random weights, on this machine. */
import type { FoundArchitecture } from '../analysis/searchArchitectures.js';
import { startProgress } from './progress.js';

const WARM_UP = 3;
const RUNS = 15;

/** Median milliseconds of one image (float32 in), one network after another. */
export async function timesOf(
  networks: readonly FoundArchitecture[],
  threads: number | undefined,
): Promise<readonly number[]> {
  const [{ buildFamilyMember }, { compile }, { randomParams }, { Tensor }] = await Promise.all([
    import('../analysis/igpFamily.js'),
    import('../executor.js'),
    import('../graph/index.js'),
    import('../tensor.js'),
  ]);
  const progress = await startProgress(networks.length);
  const times: number[] = [];
  try {
    for (const network of networks) {
      const graph = buildFamilyMember(network);
      const executor = await compile(graph, randomParams(graph, 0), threads === undefined ? {} : { threads });
      const input = new Tensor('float32', [1, 3, 224, 224], new Float32Array(3 * 224 * 224));
      const runs: number[] = [];
      for (let run = 0; run < WARM_UP + RUNS; run++) {
        const start = performance.now();
        executor.runSync(input);
        if (run >= WARM_UP) runs.push(performance.now() - start);
      }
      executor.dispose();
      times.push(runs.sort((a, b) => a - b)[RUNS >> 1] as number);
      progress.update(times.length, network.name);
    }
  } finally {
    progress.stop();
  }
  return times;
}
