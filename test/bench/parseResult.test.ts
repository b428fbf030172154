/** Result files that are none, old, cut or wrong: each is named with the place that does not fit. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseResult } from '#lib/bench/parseResult.js';
import { BitpathError } from '#lib/errors.js';
import { empty, full, lone } from './reportFixtures.js';

function reasonOf(json: string): string {
  try {
    parseResult(json, 'some.json');
  } catch (error) {
    assert.ok(error instanceof BitpathError, String(error));
    assert.equal(error.code, 'ERR_BITPATH_BENCH_FILE');
    assert.match(error.message, /^some\.json: /);
    return String(error.details['reason']);
  }
  return 'none';
}

/** The fixture with the value at `path` (keys and indices, dots between) replaced, or taken out where it is undefined. */
function changed(path: string, value: unknown): string {
  const result = JSON.parse(JSON.stringify(full()));
  const keys = path.split('.');
  const last = keys.pop()!;
  const place = keys.reduce((at, key) => at[key], result);
  assert.ok(last in place, `the fixture has no ${path}`);
  if (value === undefined) delete place[last];
  else place[last] = value;
  return JSON.stringify(result);
}

describe('parseResult', () => {
  it('takes what a run writes', () => {
    for (const result of [full(), lone(), empty()]) {
      assert.deepEqual(parseResult(JSON.stringify(result), 'a'), JSON.parse(JSON.stringify(result)));
    }
  });

  it('takes differences of measurements that noise took below 0', () => {
    for (const field of ['peakRssBytes', 'allocatedPerRun']) parseResult(changed(`memory.0.${field}`, -4096), 'a');
  });

  it('keeps what it does not know', () => {
    assert.equal((parseResult(JSON.stringify({ ...empty(), note: 'x' }), 'a') as { note?: string }).note, 'x');
  });

  for (const [name, json, expected] of [
    ['no JSON', '{"format":', /^it is no JSON \(/],
    ['nothing', '', /^it is no JSON \(/],
    ['null', 'null', /names no format/],
    ['a number', '7', /names no format/],
    ['a list', '[]', /names no format/],
    ['another JSON', '{"name": "bitpath"}', /names no format/],
    [
      'another version',
      JSON.stringify({ ...full(), format: 'bitpath.bench/0' }),
      /"bitpath.bench\/0".*reads "bitpath.bench\/1"/,
    ],
    ['a document of the command line', JSON.stringify({ format: 'bitpath.diff/1' }), /"bitpath.diff\/1"/],
  ] as const) {
    it(`refuses ${name}`, () => assert.match(reasonOf(json), expected));
  }

  for (const [path, value, expected] of [
    ['machine', undefined, 'machine must be an object, not missing'],
    ['machine.isa', 'mmx', 'machine.isa must be "scalar" or "avx2" or "avx512" or "neon", not "mmx"'],
    ['machine.clockGHz', null, 'machine.clockGHz must be a number above 0, not null'],
    ['networks', {}, 'networks must be a list, not an object'],
    ['networks.3.latency.p99', undefined, 'networks[3].latency.p99 must be a number above 0, not missing'],
    ['networks.0.latency.rounds.2', 0, 'networks[0].latency.rounds[2] must be a number above 0, not 0'],
    ['networks.0.speedup.int8', '3', 'networks[0].speedup.int8 must be a number above 0, not "3"'],
    ['kernels.1.gmacsBare', undefined, 'kernels[1].gmacsBare must be a number above 0, not missing'],
    ['layers.0.rows.4.cycles', -1, 'layers[0].rows[4].cycles must be a number that is not negative, not -1'],
    ['layers.0.rows.4.nodes', 'stem', 'layers[0].rows[4].nodes must be a list, not "stem"'],
    ['scaling.0.by', 'moon', 'scaling[0].by must be "batch" or "pixels" or "threads", not "moon"'],
    ['memory.0.fileBytes', true, 'memory[0].fileBytes must be a number that is not negative, not true'],
    ['startup.0.importMs', null, 'startup[0].importMs must be an object, not null'],
    ['omitted.0.why', undefined, 'omitted[0].why must be a string, not missing'],
    ['options', [], 'options must be an object, not []'],
  ] as const) {
    it(`refuses ${path}: ${JSON.stringify(value)}`, () => {
      assert.equal(reasonOf(changed(path, value)), `it is not whole: ${expected}`);
    });
  }

  it('misses every field of the schema that is taken out', () => {
    let fields = 0;
    const walk = (value: unknown, path: string) => {
      if (typeof value !== 'object' || value === null) return;
      for (const [key, item] of Object.entries(value)) {
        const inner = path === '' ? key : `${path}.${key}`;
        // The first of a list speaks for all; a list may lose items, and options may be anything.
        if (Array.isArray(value) ? key !== '0' : inner.startsWith('options.')) continue;
        if (!Array.isArray(value)) {
          assert.notEqual(reasonOf(changed(inner, undefined)), 'none', inner);
          fields++;
        }
        walk(item, inner);
      }
    };
    walk(full(), '');
    assert.ok(fields > 70, String(fields));
  });
});
