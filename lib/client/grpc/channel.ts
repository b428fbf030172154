/** Unary calls over one channel of grpc-js, with deadlines and signals. */
import { type DescMessage, fromBinary, type MessageShape, toBinary } from '@bufbuild/protobuf';
import type { DescMethodUnary } from '@bufbuild/protobuf';
import type * as Grpc from '@grpc/grpc-js';
import { checkOptions, checkString } from '../../check.js';
import { BitpathError } from '../../errors.js';
import { loadOptional } from '../../packages.js';
import { connectionError, refused, serverError } from '../failure.js';
import { checkTimeout } from '../request.js';
import type { CallOptions } from '../types.js';

/** Options of {@link createGrpcClient}. */
export interface GrpcOptions {
  /** Encrypts, with the system's certificates or the one given (PEM). Default: plain text. */
  readonly tls?:
    | boolean
    | {
        /** In PEM form. */
        readonly rootCertificate: Uint8Array;
      }
    | undefined;
  /** Sent as a bearer token. */
  readonly apiKey?: string | undefined;
  /** Sent with each call. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  /** Milliseconds for a call, its deadline. Default: no limit. */
  readonly timeoutMs?: number | undefined;
}

export class Channel {
  readonly address: string;
  readonly #grpc: typeof Grpc;
  readonly #client: Grpc.Client;
  readonly #options: GrpcOptions;
  readonly #metadata: Grpc.Metadata;
  #isClosed = false;

  private constructor(address: string, grpc: typeof Grpc, options: GrpcOptions) {
    this.address = address;
    this.#grpc = grpc;
    this.#options = options;
    this.#metadata = metadataOf(grpc, options);
    const { tls = false } = options;
    const root = typeof tls === 'object' ? Buffer.from(tls.rootCertificate) : null;
    const credentials = tls === false ? grpc.credentials.createInsecure() : grpc.credentials.createSsl(root);
    // The default of 4 MiB is less than a batch of eight pictures as floats.
    this.#client = new grpc.Client(address, credentials, {
      'grpc.max_receive_message_length': -1,
      'grpc.max_send_message_length': -1,
    });
  }

  static async open(address: string, options: GrpcOptions): Promise<Channel> {
    checkOptions('options', options, ['tls', 'apiKey', 'metadata', 'timeoutMs']);
    const { apiKey, timeoutMs } = options;
    if (apiKey !== undefined) checkString('options.apiKey', apiKey);
    checkTimeout(timeoutMs);
    return new Channel(address, await loadGrpc(), options);
  }

  ask<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    message: MessageShape<I>,
    { signal, timeoutMs = this.#options.timeoutMs }: CallOptions,
  ): Promise<MessageShape<O>> {
    checkTimeout(timeoutMs);
    if (this.#isClosed) return Promise.reject(new BitpathError('ERR_BITPATH_DISPOSED', { what: 'The client' }));
    if (signal?.aborted) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      const abort = () => call.cancel();
      const call = this.#client.makeUnaryRequest(
        `/${method.parent.typeName}/${method.name}`,
        (request: MessageShape<I>) => Buffer.from(toBinary(method.input, request)),
        (bytes: Buffer) => fromBinary(method.output, bytes),
        message,
        this.#metadata.clone(),
        timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs },
        (error, answer) => {
          signal?.removeEventListener('abort', abort);
          if (signal?.aborted) reject(signal.reason);
          else if (error !== null) reject(this.#failure(error, timeoutMs));
          else resolve(answer as MessageShape<O>);
        },
      );
      signal?.addEventListener('abort', abort, { once: true });
    });
  }

  #failure(error: Grpc.ServiceError, timeoutMs: number | undefined): BitpathError {
    const { status } = this.#grpc;
    const [code] = error.metadata?.get('bitpath-code') ?? [];
    if (code === undefined) {
      if (this.#isClosed) return new BitpathError('ERR_BITPATH_DISPOSED', { what: 'The client' });
      if (error.code === status.UNAVAILABLE) return connectionError(this.address, error.details, error);
      if (error.code === status.DEADLINE_EXCEEDED) {
        return connectionError(this.address, `no answer within ${timeoutMs} ms`, error);
      }
    }
    return serverError(this.address, status[error.code] ?? error.code, error.details, code);
  }

  close(): void {
    this.#isClosed = true;
    this.#client.close();
  }
}

function metadataOf(grpc: typeof Grpc, { apiKey, metadata = {} }: GrpcOptions): Grpc.Metadata {
  const all = new grpc.Metadata();
  try {
    if (apiKey !== undefined) all.set('authorization', `Bearer ${apiKey}`);
    for (const [name, value] of Object.entries(metadata)) all.set(name, value);
  } catch {
    // Its own message quotes the value.
    throw refused('options.metadata and options.apiKey', 'names and texts that gRPC can send', 'others');
  }
  return all;
}

async function loadGrpc(): Promise<typeof Grpc> {
  const { default: grpc } = await loadOptional('A gRPC client', '@grpc/grpc-js', () => import('@grpc/grpc-js'));
  return grpc as unknown as typeof Grpc;
}
