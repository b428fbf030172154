/** `GET /`: the page for people, and the files that it consists of. It asks nobody but this server for anything. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Asset, pageAssets } from '../page/assets.js';
import { sendBytes } from './bodies.js';

/** Pictures are shown from the browser's memory (`blob:`); text never becomes markup or a program. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

export async function pageRoutes(app: FastifyInstance, bodyBytes: number): Promise<void> {
  for (const asset of await pageAssets({ bodyBytes })) {
    app.get(`/${asset.path}`, (request, reply) => {
      const [path = ''] = request.url.split('?');
      // Below a prefix, and asked for without the slash that its addresses are relative to.
      if (asset.path === '' && !path.endsWith('/')) {
        return reply.redirect(`./${path.slice(path.lastIndexOf('/') + 1)}/`);
      }
      return sendAsset(asset, request, reply);
    });
  }
}

function sendAsset({ type, bytes, etag }: Asset, request: FastifyRequest, reply: FastifyReply) {
  // Kept, but asked about each time: an answer without a body costs little, and a page of two versions would be a riddle.
  reply.headers({ 'content-security-policy': POLICY, 'cache-control': 'no-cache', etag });
  const known = request.headers['if-none-match']?.split(',').map((each) => each.trim());
  if (known?.some((each) => each === etag || each === '*')) return reply.code(304).send();
  return sendBytes(request, reply.type(type), bytes);
}
