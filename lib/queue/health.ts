/** Whether a worker lives and is ready, over HTTP: what Kubernetes asks. The paths are the serving protocol's. */
import { createServer, type Server } from 'node:http';

/** Serves `v2/health/live` and `v2/health/ready` at `host:port`; rejects where that cannot be had. */
export function serveHealth(host: string, port: number, isReady: () => boolean): Promise<Server> {
  const server = createServer({ maxHeaderSize: 4096, requestTimeout: 5_000 }, (request, response) => {
    const answer = (status: number, body: object) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    if (request.url === '/v2/health/live') answer(200, { live: true });
    else if (request.url === '/v2/health/ready') answer(isReady() ? 200 : 503, { ready: isReady() });
    else answer(404, { error: 'There is only v2/health/live and v2/health/ready' });
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => resolve(server));
  });
}
