/** The thread that reads and compiles one model file while others are served. */
import { parentPort, workerData } from 'node:worker_threads';
import { BitpathError } from '../../errors.js';
import { compileFile, type Message, type Task } from './loading.js';

const say = (message: Message, transfer: readonly ArrayBuffer[] = []) => parentPort?.postMessage(message, transfer);

try {
  const compiled = await compileFile(workerData as Task);
  const { code, constants } = compiled.program;
  say({ compiled }, [code.buffer, constants.buffer] as ArrayBuffer[]);
} catch (error) {
  if (!(error instanceof BitpathError)) throw error;
  const { code, details, message } = error;
  try {
    say({ error: { code, details, message } });
  } catch {
    say({ error: { code, details: {}, message } }); // not everything can be handed to another thread
  }
}
