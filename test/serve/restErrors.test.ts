/** What a server answers to requests that are wrong: a status, a code, and a message that names the field. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { encodeInferRequest, HEADER_LENGTH } from '#lib/protocol/index.js';
import { type Body, inferRest, input, postJson, request } from './client.js';
import { floats, type Running, SIDE, start, VALUES } from './servers.js';

describe('errors of REST', () => {
  let running: Running;
  before(async () => {
    running = await start({ model_defaults: { max_batch_size: 4 } });
  });
  const post = (path: string, body: Body | null, headers: Record<string, string> = {}) =>
    postJson(running.url + path, body, headers);

  const good = { name: 'input', datatype: 'FP32', shape: [1, 3, SIDE, SIDE], data: [...floats(1)] };
  const cases: [string, string, Body | null, number, string, RegExp][] = [
    ['an unknown model', '/v2/models/huge/infer', '{}', 404, 'ERR_BITPATH_UNKNOWN_NAME', /No model is called "huge"/],
    [
      'an unknown version',
      '/v2/models/tiny/versions/9/infer',
      '{}',
      404,
      'ERR_BITPATH_UNKNOWN_NAME',
      /version of tiny/,
    ],
    ['an unknown route', '/v3', '{}', 404, 'ERR_BITPATH_ROUTE', /No route POST \/v3/],
    ['no body', '/v2/models/tiny/infer', null, 400, 'ERR_BITPATH_ARGUMENT', /JSON for the body/],
    ['no JSON', '/v2/models/tiny/infer', '{"inputs":', 400, 'ERR_BITPATH_ARGUMENT', /JSON for the body/],
    ['no input', '/v2/models/tiny/infer', '{"inputs":[]}', 400, 'ERR_BITPATH_ARGUMENT', /the one input/],
    [
      'two inputs',
      '/v2/models/tiny/infer',
      JSON.stringify({ inputs: [good, good] }),
      400,
      'ERR_BITPATH_ARGUMENT',
      /the one input/,
    ],
    [
      'another input',
      '/v2/models/tiny/infer',
      JSON.stringify({ inputs: [{ ...good, name: 'x' }] }),
      400,
      'ERR_BITPATH_ARGUMENT',
      /inputs\[0\]\.name/,
    ],
    [
      'a wrong datatype',
      '/v2/models/tiny/infer',
      JSON.stringify({ inputs: [{ ...good, datatype: 'FP64' }] }),
      400,
      'ERR_BITPATH_ARGUMENT',
      /FP32, UINT8 or BYTES for inputs\[0\]\.datatype/,
    ],
    [
      'a wrong shape',
      '/v2/models/tiny/infer',
      JSON.stringify({ inputs: [{ ...good, shape: [1, SIDE, SIDE, 3] }] }),
      400,
      'ERR_BITPATH_ARGUMENT',
      /\[N, 3, 8, 8\] with N from 1 to 4 for inputs\[0\]\.shape/,
    ],
    [
      'too large a batch',
      '/v2/models/tiny/infer',
      JSON.stringify({ inputs: [{ ...good, shape: [5, 3, SIDE, SIDE], data: Array(5 * VALUES).fill(0) }] }),
      400,
      'ERR_BITPATH_ARGUMENT',
      /N from 1 to 4/,
    ],
    [
      'an empty batch',
      '/v2/models/tiny/infer',
      JSON.stringify({ inputs: [{ ...good, shape: [0, 3, SIDE, SIDE], data: [] }] }),
      400,
      'ERR_BITPATH_ARGUMENT',
      /N from 1 to 4/,
    ],
    [
      'an unknown output',
      '/v2/models/tiny/infer',
      JSON.stringify({ inputs: [good], outputs: [{ name: 'logit' }] }),
      404,
      'ERR_BITPATH_UNKNOWN_NAME',
      /did you mean "logits"/,
    ],
    [
      'more outputs than there are',
      '/v2/models/tiny/infer',
      JSON.stringify({ inputs: [good], outputs: Array(7).fill({ name: 'map' }) }),
      400,
      'ERR_BITPATH_ARGUMENT',
      /at most 6, each output twice for outputs/,
    ],
    [
      'a wrong classification',
      '/v2/models/tiny/infer',
      JSON.stringify({ inputs: [good], outputs: [{ name: 'logits', parameters: { classification: 0 } }] }),
      400,
      'ERR_BITPATH_ARGUMENT',
      /classification/,
    ],
    ['no picture', '/classify', 'no picture', 400, 'ERR_BITPATH_IMAGE', /^the picture: /],
    ['a drawing', '/classify', ' <svg xmlns="http://www.w3.org/2000/svg"/>', 400, 'ERR_BITPATH_IMAGE', /takes no SVG/],
    ['nothing to classify', '/classify', null, 400, 'ERR_BITPATH_ARGUMENT', /a picture/],
    ['a wrong k', '/classify?k=0', 'x', 400, 'ERR_BITPATH_ARGUMENT', /for k/],
    ['an unknown model to classify', '/classify?model=x', 'x', 404, 'ERR_BITPATH_UNKNOWN_NAME', /"x"/],
    ['a wrong name', '/v2/models/..%2f..%2fetc/infer', '{}', 404, 'ERR_BITPATH_UNKNOWN_NAME', /No model/],
    ['a path to load', '/v2/repository/models/..%2ftiny/load', '', 404, 'ERR_BITPATH_UNKNOWN_NAME', /No model/],
    [
      'files to load',
      '/v2/repository/models/tiny/load',
      '{"parameters":{"file:1/x":"AA=="}}',
      501,
      'ERR_BITPATH_UNSUPPORTED',
      /Parameters of load/,
    ],
    ['an index of something else', '/v2/repository/index', '{"ready":1}', 400, 'ERR_BITPATH_ARGUMENT', /for ready/],
    [
      'shared memory',
      '/v2/models/tiny/infer',
      JSON.stringify({ inputs: [{ ...good, parameters: { shared_memory_region: 'r' } }] }),
      501,
      'ERR_BITPATH_UNSUPPORTED',
      /shared memory/,
    ],
  ];
  for (const [what, path, body, status, code, message] of cases) {
    it(`for ${what}: ${status} ${code}`, async () => {
      const answer = await post(path, body);
      assert.deepEqual([answer.status, answer.body.code], [status, code], answer.body.error);
      assert.match(answer.body.error, message);
      assert.deepEqual(Object.keys(answer.body), ['error', 'code']);
      assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
    });
  }

  it('for values that JSON cannot express: 400, and binary data work', async () => {
    const data = floats(1).fill(Number.NaN);
    const { headerLength, bytes } = encodeInferRequest(request(input({ data })));
    const { status, body } = await post('/v2/models/tiny/infer', bytes as Uint8Array<ArrayBuffer>, {
      [HEADER_LENGTH]: String(headerLength),
    });
    assert.deepEqual([status, body.code], [400, 'ERR_BITPATH_ARGUMENT']);
    assert.match(body.error, /binary data for logits/);
    const response = await inferRest(
      `${running.url}/v2/models/tiny/infer`,
      request(input({ data }), { parameters: { binary_data_output: true } }),
    );
    assert.ok((response.outputs[0]!.data as Float32Array).every(Number.isNaN));
  });

  it('for encodings: unknown ones 415, damaged ones 400', async () => {
    const { status, body } = await post('/v2/models/tiny/infer', '{}', { 'content-encoding': 'br' });
    assert.deepEqual([status, body.code], [415, 'ERR_BITPATH_MEDIA_TYPE']);
    const form = await post('/classify', 'x', { 'content-type': 'multipart/form-data' });
    assert.deepEqual([form.status, form.body.code], [400, 'ERR_BITPATH_ARGUMENT'], form.body.error);
    const garbage = await post('/v2/models/tiny/infer', '{}', { 'content-type': 'garbage' });
    assert.deepEqual([garbage.status, garbage.body.code], [415, 'ERR_BITPATH_MEDIA_TYPE'], garbage.body.error);
    const damaged = await post('/v2/models/tiny/infer', '{}', { 'content-encoding': 'gzip' });
    assert.deepEqual([damaged.status, damaged.body.code], [400, 'ERR_BITPATH_ARGUMENT']);
  });
});
