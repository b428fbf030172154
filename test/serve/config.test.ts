/** The configuration: every key has a default, and what is wrong is named. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BitpathError } from '#lib/errors.js';
import { parseConfig } from '#lib/serve/config.js';

describe('configuration', () => {
  it('needs nothing', async () => {
    const config = await parseConfig('options', {});
    assert.deepEqual(
      [config.host, config.port, config.grpc_port, config.model_repository],
      ['127.0.0.1', 8000, null, null],
    );
    assert.deepEqual(config.model_defaults, {
      max_batch_size: 8,
      instance_group: { count: 1 },
      dynamic_batching: {
        preferred_batch_size: [],
        max_queue_delay_microseconds: 0,
        preserve_ordering: false,
        priority_levels: 0,
        default_priority_level: 0,
        default_queue_policy: {
          timeout_action: 'REJECT',
          default_timeout_microseconds: 0,
          allow_timeout_override: true,
          max_queue_size: 256,
        },
        priority_queue_policy: {},
      },
    });
  });

  const cases: [unknown, string][] = [
    [
      { grpcport: 1 },
      'f.json: Expected only known keys (did you mean "grpc_port"?) for the configuration but received "grpcport"',
    ],
    [{ port: '80' }, 'f.json: Expected a number for port but received "80"'],
    [{ port: 1.5 }, 'f.json: Expected a whole number for port but received 1.5'],
    [{ port: 70000 }, 'f.json: Expected at most 65535 for port but received 70000'],
    [{ threads: 0 }, 'f.json: Expected at least 1 for threads but received 0'],
    [[], 'f.json: Expected an object for the configuration but received []'],
    [
      { log_level: 'loud' },
      'f.json: Expected "fatal" or "error" or "warn" or "info" or "debug" or "trace" or "silent" for log_level but received "loud"',
    ],
    [{ limits: { body: 1 } }, 'f.json: Expected only known keys for limits but received "body"'],
    [{ limits: { body_bytes: -1 } }, 'f.json: Expected at least 1024 for limits.body_bytes but received -1'],
    [{ models: [7] }, 'f.json: Expected a name, a path, or an object with source for models[0] but received 7'],
    [
      { models: ['a', { source: 'b', version: 'x' }] },
      'f.json: Expected a number from 1 on, as text for models[1].version but received "x"',
    ],
    [
      { models: [{ source: 'b', config: { max_batch_size: 0 } }] },
      'f.json: Expected at least 1 for models[0].config.max_batch_size but received 0',
    ],
    [{ api_keys: ['short'] }, 'f.json: Expected at least 16 characters for api_keys[0] but received a secret'],
    [{ tls: { cert: 'a' } }, 'f.json: Expected a string for tls.key but received undefined'],
    [
      { model_defaults: { dynamic_batching: { default_queue_policy: { timeout_action: 'DROP' } } } },
      'f.json: Expected "REJECT" or "DELAY" for model_defaults.dynamic_batching.default_queue_policy.timeout_action but received "DROP"',
    ],
    [
      { model_defaults: { dynamic_batching: { priority_levels: 1, default_priority_level: 2 } } },
      'f.json: Expected a level of the 1 that priority_levels names for model_defaults.dynamic_batching.default_priority_level but received 2',
    ],
    [
      { model_defaults: { dynamic_batching: { priority_levels: 2, priority_queue_policy: { 3: {} } } } },
      'f.json: Expected a level of the 2 that priority_levels names for model_defaults.dynamic_batching.priority_queue_policy.3 but received an object',
    ],
    [
      { models: [{ source: 'b', config: { max_batch_size: 4, dynamic_batching: { preferred_batch_size: [4, 8] } } }] },
      'f.json: Expected at most max_batch_size, 4, for models[0].config.dynamic_batching.preferred_batch_size[1] but received 8',
    ],
  ];
  for (const [value, message] of cases) {
    it(`says ${message.slice(8, 90)}`, async () => {
      await assert.rejects(parseConfig('f.json', value), (error) => {
        assert.ok(error instanceof BitpathError);
        assert.equal(error.code, 'ERR_BITPATH_CONFIG');
        assert.equal(error.message, message);
        return true;
      });
    });
  }
});
