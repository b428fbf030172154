/**
 * `bitpath/serve`: models over HTTP and gRPC, as the Open Inference Protocol has it. Loads its packages when a server is made.
 * @module
 */
export type { ServerConfig, ServerOptions } from './config.js';
export { bitpath } from './plugin.js';
export { type Addresses, createServer, Server, type ServerExtras } from './server.js';
