/** The OpenAPI document, and a page that shows it without asking anybody else for anything. */
import type { FastifyInstance } from 'fastify';
import { openApi } from './openApi.js';
import { docsPage } from './docsPage.js';

export function docsRoutes(app: FastifyInstance): void {
  const document = openApi();
  const json = JSON.stringify(document);
  const page = docsPage(document);
  app.get('/docs/openapi.json', async (_, reply) => reply.type('application/json').send(json));
  app.get('/docs', async (_, reply) => {
    reply.header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'");
    return reply.type('text/html; charset=utf-8').send(page);
  });
}
