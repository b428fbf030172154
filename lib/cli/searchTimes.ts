/** Times of networks of the family, with random weights, on this machine. */
import type { CostModel } from '../analysis/costModel.js';
import type { IgpFamilyMember } from '../analysis/igpFamily.js';
import { startProgress } from './progress.js';

const WARM_UP = 3;
const RUNS = 15;

/** Median milliseconds of one image (float32 in), one network after another. */
export async function timesOf(
  networks: readonly (IgpFamilyMember & { readonly name: string })[],
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

/** Networks of different widths, depths and shares of 1-bit work. */
const CALIBRATION: readonly IgpFamilyMember[] = [
  { kind: 'chain', columns: 1, width: 64, blocksPerStage: [4, 4, 4, 4] },
  { kind: 'chain', columns: 1, width: 128, blocksPerStage: [1, 1, 1, 1] },
  { kind: 'chain', columns: 1, width: 41, blocksPerStage: [14, 14, 14, 14] },
  { kind: 'igp', columns: 2, width: 53, blocksPerStage: [2, 2, 2, 2] },
  { kind: 'igp', columns: 3, width: 41, blocksPerStage: [2, 2, 2, 2] },
  { kind: 'igp', columns: 3, width: 48, blocksPerStage: [2, 2, 3, 2] },
  { kind: 'igp', columns: 4, width: 31, blocksPerStage: [2, 2, 2, 2] },
];

export interface Calibration {
  readonly model: CostModel;
  readonly networks: number;
  /** Largest of |predicted / measured − 1| over these networks. */
  readonly largestError: number;
}

/** The cost model of this machine, from times of a few networks. */
export async function calibrate(threads: number | undefined): Promise<Calibration> {
  const [{ fitCostModel, predictMilliseconds }, { familyFigures, familyName }] = await Promise.all([
    import('../analysis/costModel.js'),
    import('../analysis/igpFamily.js'),
  ]);
  const times = await timesOf(
    CALIBRATION.map((member) => ({ ...member, name: familyName(member) })),
    threads,
  );
  const samples = CALIBRATION.map((member, i) => ({ ...familyFigures(member), milliseconds: times[i] as number }));
  const model = fitCostModel(samples);
  const errors = samples.map((sample) => Math.abs(predictMilliseconds(model, sample) / sample.milliseconds - 1));
  return { model, networks: samples.length, largestError: Math.max(...errors) };
}
