/** A sample of what `malformed.ts` sends by the hundred thousand: each a 4xx or a closed connection, good requests in between answered. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { bombard } from './malformed.js';
import { bombardGrpc } from './malformedGrpc.js';
import { start } from './servers.js';

it('malformed requests are refused, and disturb no other', async () => {
  const { url, server } = await start();
  const { bad, odd, good } = await bombard(url, 1500, 7);
  assert.deepEqual([...good], [[200, 15]]);
  assert.ok((bad.get(400) ?? 0) > 500);
  assert.ok((odd.get(200) ?? 0) > 50, 'strange ones that are answered');
  const served = server.service.repository.resolve('tiny');
  assert.deepEqual([served.active, served.pending, server.service.decoder.pending], [0, 0, 0]);
});

it('so are malformed messages over gRPC', async () => {
  const { grpc, server } = await start({ grpc_port: 0 });
  const { bad, good } = await bombardGrpc(grpc as string, 600, 3);
  assert.deepEqual([...good], [[0, 60]]);
  assert.ok((bad.get(3) ?? 0) > 400, JSON.stringify([...bad]));
  const served = server.service.repository.resolve('tiny');
  assert.deepEqual([served.active, served.pending, server.service.inFlight.bytes], [0, 0, 0]);
});
