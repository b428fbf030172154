/** A sample of what `malformed.ts` sends by the hundred thousand: each a 4xx or a closed connection, good requests in between answered. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { bombard } from './malformed.js';
import { start } from './servers.js';

it('malformed requests are refused, and disturb no other', async () => {
  const { url, server } = await start();
  const { bad, good } = await bombard(url, 1500, 7);
  assert.deepEqual([...good], [[200, 15]]);
  assert.ok((bad.get(400) ?? 0) > 500);
  const served = server.service.repository.resolve('tiny');
  assert.deepEqual([served.active, served.pending, server.service.decoder.pending], [0, 0, 0]);
});
