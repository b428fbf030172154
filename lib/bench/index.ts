/** A run of the benchmarks, from options to a result. */
import { loadavg } from 'node:os';
import { argumentError, checkBoolean, checkInteger, checkOneOf, checkOptions } from '../check.js';
import { BitpathError } from '../errors.js';
import { type Isa, native } from '../native.js';
import { type BenchContext, type Draft, omit, PARTS, type Part, type Step } from './context.js';
import { Workshop } from './contenders.js';
import { kernelSteps } from './kernels.js';
import { layerSteps } from './layers.js';
import { describeMachine } from './machine.js';
import { FLOAT_NETWORK, networkSteps } from './networks.js';
import { Peers } from './peers.js';
import { memorySteps, startupSteps } from './processes.js';
import { type BenchResult, RESULT_FORMAT } from './result.js';
import { scalingSteps } from './scaling.js';

export { PARTS, type Part } from './context.js';

export interface BenchOptions {
  /** Fewer rounds, sizes and shapes: minutes become seconds, and figures a first look. Default false. */
  readonly quick?: boolean;
  /** Most threads, 1 … 1024. Default: the CPUs that this process may use. */
  readonly threads?: number;
  /** Parts to run. Default: all. */
  readonly only?: readonly Part[];
  /** Height and width of the pictures, 32 … 1024. Default 224, which is what figures are quoted for. */
  readonly size?: number;
  /** Called before each step, and once at the end with `done` = `total`. */
  readonly onStep?: (done: number, total: number, name: string) => void;
}

const STEPS: Readonly<Record<Part, (context: BenchContext) => Step[]>> = {
  kernels: kernelSteps,
  layers: layerSteps,
  networks: networkSteps,
  scaling: scalingSteps,
  memory: memorySteps,
  startup: startupSteps,
};
/** Parts that have the peers in them. */
const WITH_PEERS: readonly Part[] = ['networks', 'scaling'];

/**
 * Runs the benchmarks on this machine. Every case checks its answer before it is timed.
 *
 * @throws `ERR_BITPATH_BENCH` for a wrong answer or a process that fails; `ERR_BITPATH_ARGUMENT`, `ERR_BITPATH_UNKNOWN_OPTION`.
 */
export async function runBench(options: BenchOptions = {}): Promise<BenchResult> {
  checkOptions('options', options, ['quick', 'threads', 'only', 'size', 'onStep']);
  const quick = checkBoolean('options.quick', options.quick ?? false);
  const threads = checkInteger('options.threads', options.threads ?? native().availableThreads(), 1, 1024);
  const size = checkInteger('options.size', options.size ?? 224, 32, 1024);
  const only = checkParts(options.only ?? PARTS);
  const onStep = options.onStep ?? (() => {});

  // Where others compute too, long runs are interrupted more often than short ones, and ratios lean towards the short.
  const [loadBefore = 0] = loadavg();
  const machine = describeMachine();
  const draft: Draft = { kernels: [], networks: [], layers: [], scaling: [], memory: [], startup: [], omitted: [] };
  const workshop = new Workshop(size, quick ? 1 : 2);
  onStep(0, 1, 'preparing');
  const peers = only.some((part) => WITH_PEERS.includes(part)) ? await findPeers(workshop, threads, draft) : null;
  const isas = native().isas.flatMap(({ name, supported }): Isa[] => (supported ? [name] : []));
  const context: BenchContext = {
    quick,
    threads,
    size,
    isa: machine.isa,
    isas,
    clockGHz: machine.clockGHz,
    workshop,
    peers,
    draft,
  };

  const steps = PARTS.filter((part) => only.includes(part)).flatMap((part) => STEPS[part](context));
  for (const [i, { name, run }] of steps.entries()) {
    onStep(i, steps.length, name);
    await run();
  }
  onStep(steps.length, steps.length, '');
  return {
    format: RESULT_FORMAT,
    machine: { ...machine, onnxruntime: peers?.version ?? null },
    options: { quick, threads, size, only, loadBefore },
    ...draft,
  };
}

function checkParts(only: unknown): readonly Part[] {
  if (!Array.isArray(only) || only.length === 0) throw argumentError('options.only', 'a list of parts', only);
  return only.map((part, i) => checkOneOf(`options.only[${i}]`, part, PARTS));
}

async function findPeers(workshop: Workshop, threads: number, draft: Draft): Promise<Peers | null> {
  try {
    return await Peers.create(workshop.model(FLOAT_NETWORK), workshop.size, threads);
  } catch (error) {
    if (!(error instanceof BitpathError) || error.code !== 'ERR_BITPATH_MISSING_PACKAGE') throw error;
    omit(draft, 'onnxruntime', 'it is not installed; to add it: npm install onnxruntime-node');
    return null;
  }
}
