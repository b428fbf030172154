/** Redis, by its URL. The packages that speak to it are optional, and loaded by nothing else. */
import { BitpathError, isNodeError } from '../errors.js';
import { loadOptional } from '../packages.js';

export type Bullmq = typeof import('bullmq');

export interface Connection {
  readonly bullmq: Bullmq;
  /** For each queue, worker and listener: they wait for as long as Redis is away. */
  readonly options: { readonly url: string } & Readonly<Record<string, unknown>>;
  /** The URL without its password, for messages. */
  readonly name: string;
}

const FEATURE = 'A queue of batch jobs';
/** Redis answers within this, or the command ends; later it may be away for longer. */
const CONNECT_MS = 5_000;
/** Between two tries to reach a Redis that has gone away. */
const MAX_RETRY_MS = 2_000;

/**
 * Loads the packages and asks Redis whether it is there.
 *
 * @throws `ERR_BITPATH_ARGUMENT` for what is no URL of Redis, `ERR_BITPATH_MISSING_PACKAGE`, `ERR_BITPATH_QUEUE` where Redis does
 *   not answer.
 */
export async function connect(url: string): Promise<Connection> {
  const name = displayName(url);
  const ioredis = await loadOptional(FEATURE, 'ioredis', () => import('ioredis'));
  const bullmq = await loadOptional(FEATURE, 'bullmq', () => import('bullmq'));
  let last: unknown = null;
  let client: InstanceType<typeof ioredis.Redis> | null = null;
  try {
    client = new ioredis.Redis(url, {
      lazyConnect: true,
      connectTimeout: CONNECT_MS,
      maxRetriesPerRequest: 1,
      retryStrategy: () => null,
    });
    // What goes wrong comes from the calls below; without a listener it would be printed as well.
    client.on('error', (error: unknown) => (last = error));
    await client.connect();
    await client.ping();
  } catch (error) {
    const cause = last ?? error;
    const reason = `Redis does not answer (${isNodeError(cause) ? cause.message || cause.code : String(cause)})`;
    throw new BitpathError('ERR_BITPATH_QUEUE', { queue: name, reason }, { cause });
  } finally {
    client?.disconnect();
  }
  const retryStrategy = (times: number) => Math.min(100 * times, MAX_RETRY_MS);
  return { bullmq, name, options: { url, maxRetriesPerRequest: null, retryStrategy } };
}

/** What is no such URL is not quoted: a password may be anywhere in it, as where its `#` is not written `%23`. */
function displayName(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  const isRedis = parsed !== null && /^rediss?:$/.test(parsed.protocol) && parsed.hostname !== '';
  if (!isRedis || !/^(\/\d*)?$/.test(parsed.pathname) || parsed.hash !== '' || parsed.search.includes('@')) {
    throw new BitpathError('ERR_BITPATH_ARGUMENT', {
      argument: '--queue',
      expected: 'a URL such as redis://localhost:6379',
      received: 'something else (in a user’s name or password / is written %2F, ? %3F, # %23, @ %40)',
    });
  }
  parsed.password = '';
  parsed.search = '';
  return parsed.href;
}
