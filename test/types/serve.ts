/** Types of `bitpath/serve`: compiled, never run. */
import {
  type Addresses,
  bitpath,
  createServer,
  type Server,
  type ServerConfig,
  type ServerOptions,
} from 'bitpath/serve';
import { expectTypeOf } from 'expect-type';
import type { FastifyInstance, FastifyPluginAsync } from 'fastify';

export async function serve(app: FastifyInstance, server: Server): Promise<void> {
  expectTypeOf(await createServer({ models: ['m', { source: 'a.safetensors', name: 'n' }] })).toEqualTypeOf<Server>();
  expectTypeOf(await server.listen()).toEqualTypeOf<Addresses>();
  expectTypeOf(server.close()).toEqualTypeOf<Promise<void>>();
  expectTypeOf(server.app).toEqualTypeOf<FastifyInstance>();
  expectTypeOf(bitpath).toExtend<FastifyPluginAsync<ServerOptions & { readonly prefix?: string }>>();
  app.register(bitpath, { prefix: '/vision', models: ['m'], limits: { body_bytes: 2 ** 20 } });
  expectTypeOf<ServerOptions['port']>().toEqualTypeOf<number | undefined>();
  expectTypeOf<ServerConfig['port']>().toEqualTypeOf<number>();
  expectTypeOf<ServerConfig['limits']['decoders']>().toEqualTypeOf<number>();
  expectTypeOf<ServerConfig['grpc_port']>().toEqualTypeOf<number | null>();
  // @ts-expect-error: a misspelt key
  await createServer({ prot: 8000 });
  // @ts-expect-error: a port is a number
  app.register(bitpath, { models: ['m'], port: '8000' });
  // @ts-expect-error: no such level
  await createServer({ log_level: 'loud' });
}
