export { checkGraph, GraphBuilder } from './builder.js';
export { type Cost, graphCost, nodeCost } from './cost.js';
export { type GraphJson, graphFromJson, graphToJson } from './json.js';
export { OP_NAMES } from './ops/index.js';
export type * from './ops/options.js';
export { checkParams, countParams, graphParams, storedAs } from './params.js';
export { randomParams } from './randomParams.js';
export type * from './types.js';
