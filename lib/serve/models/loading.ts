/** A model file → an executor, and what else serving needs of the model. */
import { Worker } from 'node:worker_threads';
import { compileProgram, type Program } from '../../compiler/index.js';
import { BitpathError, type ErrorCode, type ErrorDetails } from '../../errors.js';
import { type Executor, executorOf } from '../../executor.js';
import type { Label } from '../../formats/model-file.js';
import type { Preprocessing } from '../../images/preprocessing.js';
import { loadModel } from '../../model.js';

export interface LoadedModel {
  readonly executor: Executor;
  readonly outputs: Program['outputs'];
  readonly labels: readonly Label[] | null;
  readonly preprocessing: Preprocessing | null;
}

export interface LoadOptions {
  readonly batch: number;
  readonly threads: number;
  /** Whether requests are being answered, which must not wait meanwhile. */
  readonly isBusy: boolean;
}

/** Throws as `loadModel` and `compile` do. */
export type Loader = (path: string | URL, options: LoadOptions) => Promise<LoadedModel>;

/** What can be handed from one thread to another. */
interface Compiled {
  readonly program: Program;
  readonly labels: readonly Label[] | null;
  readonly preprocessing: Preprocessing | null;
}

/** What a thread of its own says: the one or the other. */
export interface Message {
  readonly compiled?: Compiled;
  readonly error?: { readonly code: ErrorCode; readonly details: ErrorDetails; readonly message: string };
}

export interface Task {
  readonly path: string;
  readonly batch: number;
}

/** Reading and compiling take a tenth of a second or two: in a thread of its own, unless nobody waits for this one. */
export const load: Loader = async (path, { batch, threads, isBusy }) => {
  const task = { path: String(path), batch };
  const { program, labels, preprocessing } = await (isBusy ? compileAside(task) : compileFile(task));
  return { executor: executorOf(program, threads), outputs: program.outputs, labels, preprocessing };
};

export async function compileFile({ path, batch }: Task): Promise<Compiled> {
  const { graph, params, labels, preprocessing } = await loadModel(path);
  const normalization = preprocessing && { mean: preprocessing.mean, std: preprocessing.std };
  const program = compileProgram(graph, params, { batch, normalization });
  return { program, labels, preprocessing };
}

async function compileAside(task: Task): Promise<Compiled> {
  const { compiled, error } = await askWorker(task).catch((): Message => ({}));
  if (error !== undefined) {
    // Native code has written its message itself.
    const { code, details, message } = error;
    throw Object.assign(new BitpathError(code, details), { message });
  }
  // A bundle may have lost the worker's file, a container may give no thread.
  return compiled ?? compileFile(task);
}

function askWorker(workerData: Task): Promise<Message> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./loadingWorker.js', import.meta.url), { workerData, execArgv: [] });
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', () => reject(new Error('it ended without a word')));
  });
}
