/** The packages that a server needs, loaded when one is made: whoever only runs networks installs none of them. */
import { BitpathError } from '../errors.js';

const ALWAYS = ['fastify', '@fastify/multipart', 'prom-client', 'zod'] as const;
const FOR_GRPC = ['@grpc/grpc-js', '@grpc/reflection', 'grpc-health-check'] as const;
/** What `npm install` takes so that everything that a server can do works. */
const ALL = [...ALWAYS, ...FOR_GRPC];

export type ServePackage = (typeof ALL)[number] | '@opentelemetry/api';

/** The module `name`. Throws `ERR_BITPATH_MISSING_PACKAGE` with the one command that installs all that a server needs. */
export async function loadPackage<T>(name: ServePackage): Promise<T> {
  try {
    return (await import(name)) as T;
  } catch (cause) {
    const reason = String((cause as Error).message).split('\n')[0];
    const packages = name === '@opentelemetry/api' ? name : ALL.join(' ');
    throw new BitpathError('ERR_BITPATH_MISSING_PACKAGE', { feature: 'Serving', package: packages, reason }, { cause });
  }
}
