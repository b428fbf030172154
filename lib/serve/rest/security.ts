/** Who may ask, and what browsers are told to do with the answers. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
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

export function secure(app: FastifyInstance, apiKeys: readonly string[], isTls: boolean): void {
  const isKnown = keyChecker(apiKeys);
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(HEADERS);
    if (isTls) reply.header('strict-transport-security', 'max-age=31536000');
    if (apiKeys.length === 0 || isOpen(app.prefix, request.routeOptions.url)) return;
    const { authorization, 'x-api-key': key } = request.headers;
    if (!isKnown(keyOf(authorization, key))) throw new BitpathError('ERR_BITPATH_UNAUTHORIZED');
  });
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
