/** Who may ask, and what browsers are told to do with the answers. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { BitpathError } from '../../errors.js';
import { PATHS } from '../../protocol/index.js';

/** Nothing here is a page, unless its route says so. */
const HEADERS = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
} as const;

/** Probes have no keys, and a browser has none until its page has asked for it. Nothing of this tells anything about the models. */
const OPEN: readonly string[] = [PATHS.live, PATHS.ready, '/', '', '/docs', '/docs/openapi.json'];
const OPEN_FOLDER = '/page/';

export interface Guards {
  readonly apiKeys: readonly string[];
  readonly isTls: boolean;
  /** Whether only names of this machine lead here: then others are of pages that want to pass for it. */
  readonly isLocal: boolean;
}

export function secure(app: FastifyInstance, { apiKeys, isTls, isLocal }: Guards): void {
  const isKnown = keyChecker(apiKeys);
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(HEADERS);
    if (isTls) reply.header('strict-transport-security', 'max-age=31536000');
    if (isLocal && apiKeys.length === 0) refuseForeignHost(request);
    refuseForeignPage(request, reply);
    if (apiKeys.length === 0 || isOpen(app.prefix, request.routeOptions.url)) return;
    const { authorization, 'x-api-key': key } = request.headers;
    if (!isKnown(keyOf(authorization, key))) throw new BitpathError('ERR_BITPATH_UNAUTHORIZED');
  });
}

/** Whether a server that listens on `host` can be reached from this machine alone. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

/** A name may come to mean this machine after a page was loaded from it (DNS rebinding); the header still says the name. */
function refuseForeignHost({ headers: { host } }: FastifyRequest): void {
  if (host === undefined) return; // no browser
  const name = host.replace(/:\d*$/, '').toLowerCase();
  if (name === 'localhost' || isIP(name.replace(/^\[(.*)\]$/, '$1')) !== 0) return;
  const reason = 'A server on this machine without API keys is called localhost, or by an address';
  throw new BitpathError('ERR_BITPATH_FORBIDDEN', { reason });
}

/** Browsers send a page's plain POST wherever it likes, without asking first. Whoever is no browser sends neither header. */
function refuseForeignPage({ method, headers }: FastifyRequest, reply: FastifyReply): void {
  // An app around that answers CORS has decided for itself.
  if (method !== 'POST' || reply.hasHeader('access-control-allow-origin')) return;
  const { origin, host, 'sec-fetch-site': site } = headers;
  if (site === 'same-origin') return; // also behind a proxy that names another host
  if (site !== 'cross-site' && (origin === undefined || hostOf(origin) === host?.toLowerCase())) return;
  throw new BitpathError('ERR_BITPATH_FORBIDDEN', { reason: 'Pages of other sites may not ask this server' });
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}

/** Whether a route, as it is registered, asks for no key. There is none where nothing was found. */
function isOpen(prefix: string, route: string | undefined): boolean {
  if (route === undefined) return false;
  const path = route.slice(prefix.length);
  return OPEN.includes(path) || path.startsWith(OPEN_FOLDER);
}

/** The key in a request's headers or metadata; empty where there is none. */
export function keyOf(authorization: unknown, apiKey: unknown): string {
  if (typeof apiKey === 'string') return apiKey;
  const bearer = typeof authorization === 'string' ? /^Bearer (\S+)$/i.exec(authorization) : null;
  return bearer?.[1] ?? '';
}

/** Compares in a time that depends on neither key. */
export function keyChecker(apiKeys: readonly string[]): (key: string) => boolean {
  const digest = (key: string) => createHash('sha256').update(key).digest();
  const known = apiKeys.map(digest);
  return (key) => {
    const asked = digest(key);
    // All are compared, so that the time does not say which one came close.
    return known.reduce((found, each) => timingSafeEqual(each, asked) || found, false);
  };
}
