/** The gRPC server: the inference service, health and reflection. */
import { type AddressInfo, createServer, type Server } from 'node:net';
import { type DescMessage, type DescMethod, fromBinary, type Message, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import type * as Grpc from '@grpc/grpc-js';
import type * as Health from 'grpc-health-check';
import { BitpathError } from '../../errors.js';
import { checkMessageSize, file_inference, GRPCInferenceService } from '../../protocol/grpc/index.js';
import { hostAndPort, listenError, readTls } from '../listen.js';
import { loadPackage } from '../packages.js';
import { requestId } from '../requestId.js';
import type { InFlight } from '../inFlight.js';
import { keyChecker, keyOf } from '../rest/security.js';
import type { InferenceService, Log } from '../service.js';
import { failureOf, GRPC } from '../status.js';
import type { Tracer } from '../tracing.js';
import { type Call, inferenceCalls } from './calls.js';

export class GrpcServer {
  /** `host:port`. */
  readonly address: string;
  readonly #listener: Server;
  readonly #server: Grpc.Server;
  readonly #health: Health.HealthImplementation;
  readonly #service: InferenceService;

  private constructor(
    address: string,
    listener: Server,
    server: Grpc.Server,
    health: Health.HealthImplementation,
    service: InferenceService,
  ) {
    this.address = address;
    this.#listener = listener;
    this.#server = server;
    this.#health = health;
    this.#service = service;
  }

  /** Listens on the configuration's `host` and `grpc_port`. Throws `ERR_BITPATH_LISTEN`, `ERR_BITPATH_MISSING_PACKAGE`. */
  static async start(service: InferenceService, tracer: Tracer, log: Log): Promise<GrpcServer> {
    const [grpc, health, reflection] = await Promise.all([
      loadPackage<{ default: typeof Grpc }>('@grpc/grpc-js').then((module) => module.default),
      loadPackage<{ default: typeof Health }>('grpc-health-check').then((module) => module.default),
      loadPackage<{ default: typeof import('@grpc/reflection') }>('@grpc/reflection').then((module) => module.default),
    ]);
    const { host, grpc_port, limits, tls, api_keys } = service.config;
    const server = new grpc.Server({
      'grpc.max_receive_message_length': limits.body_bytes,
      'grpc.max_send_message_length': -1,
      'grpc.max_concurrent_streams': 1000,
      'grpc.max_connection_idle_ms': limits.keep_alive_timeout_ms,
      // A peer that is gone without a word answers no ping.
      'grpc.keepalive_time_ms': limits.keep_alive_timeout_ms,
    });
    const isKnown = api_keys.length === 0 ? () => true : keyChecker(api_keys);
    const { definition, handlers } = inferenceService(grpc, inferenceCalls(service, tracer), isKnown, service, log);
    server.addService(definition, handlers);
    const status = new health.HealthImplementation();
    status.addToServer(server);
    new reflection.ReflectionService(describedTypes(health) as never).addToServer(server);

    const credentials = tls === null ? grpc.ServerCredentials.createInsecure() : await tlsCredentials(grpc, tls);
    // Of connections, the package has no limit, but takes them from whoever has one.
    const injector = server.createConnectionInjector(credentials);
    const listener = createServer((socket) => injector.injectConnection(socket));
    listener.maxConnections = limits.connections;
    await new Promise<void>((resolve, reject) => {
      // For good: a connection that cannot be accepted later (EMFILE) ends nothing.
      listener.on('error', (error) => reject(listenError(hostAndPort(host, grpc_port ?? 0), error)));
      listener.listen({ host, port: grpc_port ?? 0 }, resolve);
    });
    const { address, port } = listener.address() as AddressInfo;
    const result = new GrpcServer(hostAndPort(address, port), listener, server, status, service);
    result.update();
    return result;
  }

  /** Tells the health service whether the server is ready. */
  update(): void {
    const status = this.#service.isReady ? 'SERVING' : 'NOT_SERVING';
    for (const name of ['', GRPCInferenceService.typeName]) this.#health.setStatus(name, status);
  }

  /** Takes no more calls; ends once those on their way are answered, or `drained` resolves. */
  async close(drained: Promise<void>): Promise<void> {
    this.#listener.close();
    const ended = new Promise<void>((resolve) => this.#server.tryShutdown(() => resolve()));
    await drained;
    // Streams of the health service end by themselves only when their callers leave; answers are given a moment to be sent.
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 100).unref())]);
    this.#server.forceShutdown();
  }
}

function inferenceService(
  grpc: typeof Grpc,
  calls: Readonly<Record<string, Call>>,
  isKnown: (key: string) => boolean,
  service: InferenceService,
  log: Log,
): { definition: Grpc.ServiceDefinition; handlers: Grpc.UntypedServiceImplementation } {
  const definition: Record<string, Grpc.MethodDefinition<Buffer, Message>> = {};
  const handlers: Record<string, Grpc.handleUnaryCall<Buffer, Message>> = {};
  for (const method of GRPCInferenceService.methods) {
    const call = calls[method.name];
    if (call === undefined)
      throw new BitpathError('ERR_BITPATH_INTERNAL', { reason: `${method.name} has no implementation` });
    definition[method.name] = methodDefinition(method);
    handlers[method.name] = (unary, callback) => {
      const leave = service.enter();
      const began = performance.now();
      const reqId = requestId(unary.metadata.get('x-request-id')[0]);
      const end = (status: number) => {
        leave();
        log.info({ reqId, method: method.name, status, milliseconds: performance.now() - began }, 'call');
      };
      answer(call, method.input, unary, isKnown, service.inFlight).then(
        (message) => {
          callback(null, message);
          end(GRPC.OK);
        },
        (error) => {
          const status = statusOf(grpc, error, { reqId, method: method.name }, log);
          callback(status);
          end(status.code);
        },
      );
    };
  }
  return { definition, handlers };
}

function methodDefinition({ parent, name, output }: DescMethod): Grpc.MethodDefinition<Buffer, Message> {
  return {
    path: `/${parent.typeName}/${name}`,
    requestStream: false,
    responseStream: false,
    requestSerialize: (bytes) => bytes,
    // Read only once the caller's key is known: a message costs more memory than its bytes.
    requestDeserialize: (bytes) => bytes,
    responseSerialize: (message) => serialize(output, message),
    responseDeserialize: (bytes) => fromBinary(output, bytes),
  };
}

/** Throws `ERR_BITPATH_ARGUMENT`, `ERR_BITPATH_TOO_LARGE`. */
function readMessage(schema: DescMessage, bytes: Uint8Array): Message {
  checkMessageSize(schema, bytes);
  try {
    return fromBinary(schema, bytes, { readUnknownFields: false });
  } catch (cause) {
    const details = { argument: 'the message', expected: schema.typeName, received: 'something else' };
    throw new BitpathError('ERR_BITPATH_ARGUMENT', details, { cause });
  }
}

function serialize(schema: DescMessage, message: Message): Buffer {
  const { buffer, byteOffset, byteLength } = toBinary(schema, message);
  return Buffer.from(buffer, byteOffset, byteLength);
}

async function answer(
  call: Call,
  schema: DescMessage,
  unary: Grpc.ServerUnaryCall<Buffer, Message>,
  isKnown: (key: string) => boolean,
  inFlight: InFlight,
): Promise<Message> {
  const { metadata } = unary;
  const headers = metadata.getMap() as Record<string, string>;
  if (!isKnown(keyOf(headers['authorization'], headers['x-api-key'])))
    throw new BitpathError('ERR_BITPATH_UNAUTHORIZED');
  const held = inFlight.open();
  try {
    // Of a message, nothing is known before all of it has come.
    held.add(unary.request.length);
    const request = readMessage(schema, unary.request);
    const controller = new AbortController();
    // Also where the deadline is over.
    unary.once('cancelled', () => controller.abort(new BitpathError('ERR_BITPATH_ABORTED')));
    return (await call(request as never, { signal: controller.signal, headers })) as Message;
  } finally {
    held.release();
  }
}

/** The status of an error, with our code in the trailing metadata. */
function statusOf(
  grpc: typeof Grpc,
  error: unknown,
  details: object,
  log: Log,
): Partial<Grpc.StatusObject> & { code: number } {
  const { grpc: code, body, isFault } = failureOf(error);
  if (isFault) log.error({ err: error, ...details }, 'call failed');
  const metadata = new grpc.Metadata();
  metadata.set('bitpath-code', body.code);
  if (code === GRPC.UNAVAILABLE) metadata.set('grpc-retry-pushback-ms', '1000');
  return { code, details: body.error, metadata };
}

async function tlsCredentials(grpc: typeof Grpc, tls: Parameters<typeof readTls>[0]): Promise<Grpc.ServerCredentials> {
  const { cert, key } = await readTls(tls);
  return grpc.ServerCredentials.createSsl(null, [{ cert_chain: cert, private_key: key }]);
}

/** What the reflection package reads: descriptions of files, wherever they come from. */
function describedTypes(health: typeof Health): Record<string, { readonly fileDescriptorProtos: readonly Buffer[] }> {
  const { buffer, byteOffset, byteLength } = toBinary(FileDescriptorProtoSchema, file_inference.proto);
  const healthTypes = health.service['Check']?.requestType as { readonly fileDescriptorProtos: readonly Buffer[] };
  return { inference: { fileDescriptorProtos: [Buffer.from(buffer, byteOffset, byteLength)] }, health: healthTypes };
}
