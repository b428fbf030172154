/** Jobs of many pictures: `bitpath batch`, and the two sides of its queue. */
export { requireFormat } from './formats/index.js';
export type { OutputFormat } from './formats/names.js';
export { difference, type Identity, modelDigest, versions } from './identity.js';
export { BatchJob, type JobOptions, type JobSummary } from './job.js';
export { type ComputeOptions, computeResults, type Picture, type Result } from './result.js';
