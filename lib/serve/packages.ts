/** The packages that a server needs, loaded when one is made: whoever only runs networks installs none of them. */
import { loadOptional } from '../packages.js';

const ALWAYS = ['fastify', '@fastify/multipart', 'prom-client', 'zod'] as const;
const FOR_GRPC = ['@grpc/grpc-js', '@grpc/reflection', 'grpc-health-check'] as const;
/** What `npm install` takes so that everything that a server can do works. */
const ALL = [...ALWAYS, ...FOR_GRPC];

export type ServePackage = (typeof ALL)[number];

/** The module `name`. Throws `ERR_BITPATH_MISSING_PACKAGE` with the one command that installs all that a server needs. */
export function loadPackage<T>(name: ServePackage): Promise<T> {
  return loadOptional('Serving', ALL.join(' '), () => import(name) as Promise<T>);
}
