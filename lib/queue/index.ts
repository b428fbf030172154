/** A batch job on many machines: `bitpath batch --queue` and `bitpath worker`. */
export { type Connection, connect } from './connection.js';
export { serveHealth } from './health.js';
export { checkRoot } from './process.js';
export { computeThroughQueue, type ProducerOptions } from './producer.js';
export { type RunningWorker, startWorker, type WorkerEvent, type WorkerOptions } from './worker.js';
