/** What workers return is believed no further than it must be. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decodeResults } from '#lib/queue/messages.js';

const best = { index: 3, id: 'n01', name: 'goldfish', probability: 0.5 };
const decode = (result: unknown, columns = { top: 1, logits: 0 }) =>
  decodeResults('redis://queue', { results: [[7, result]] }, columns)[0];

describe('results of workers', () => {
  it('are taken with the fields that a result has, in its order', () => {
    const given = { image: 'other.jpg', logits: [9], predictions: [{ ...best, probability: 0.25, more: 1 }] };
    assert.equal(JSON.stringify(decode(given)), JSON.stringify([7, { predictions: [{ ...best, probability: 0.25 }] }]));
    const error = { code: 'ERR_BITPATH_IMAGE', message: 'a.jpg: it is empty' };
    assert.deepEqual(decode({ error: { ...error, more: 1 }, predictions: [best] }), [7, { error }]);
    const both = { predictions: [best, { ...best, probability: null }], logits: [1, null, -2] };
    assert.deepEqual(decode(both, { top: 2, logits: 3 }), [7, both]);
  });

  const wrong: [unknown, { top: number; logits: number }?][] = [
    [null],
    [{}],
    [{ predictions: [] }],
    [{ predictions: [null] }],
    [{ predictions: [best, best] }],
    [{ predictions: [{ ...best, index: 1.5 }] }],
    [{ predictions: [{ ...best, name: 5 }] }],
    [{ predictions: [{ ...best, probability: '1' }] }],
    [{ predictions: [best] }, { top: 1, logits: 2 }],
    [
      { predictions: [best], logits: [1] },
      { top: 1, logits: 2 },
    ],
    [
      { predictions: [best], logits: [1, '2'] },
      { top: 1, logits: 2 },
    ],
    [{ error: null }],
    [{ error: { code: 'ENOENT', message: 'x' } }],
    [{ error: { code: 'ERR_BITPATH_IMAGE' } }],
  ];
  for (const [result, columns] of wrong) {
    it(`BAD CALL ${JSON.stringify(result)}${columns === undefined ? '' : ` for ${columns.logits} classes`}`, () => {
      const refused = {
        code: 'ERR_BITPATH_QUEUE',
        message: /^redis:\/\/queue: a worker returned something that is no result$/,
      };
      assert.throws(() => decode(result, columns), refused);
    });
  }

  it('BAD CALL no results at all', () => {
    for (const data of [null, {}, { results: {} }, { results: [7] }, { results: [['7', { predictions: [best] }]] }]) {
      assert.throws(() => decodeResults('q', data, { top: 1, logits: 0 }), { code: 'ERR_BITPATH_QUEUE' });
    }
  });
});
