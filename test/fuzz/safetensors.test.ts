/** The fuzzer of model files: a short run, and bugs planted in the reader, which it must find. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fuzz } from './engine.js';
import type { Plant } from './instrument.js';
import { safetensors } from './safetensors.js';

describe('fuzzing model files', () => {
  it('finds nothing', async (t) => {
    const { failure, ...report } = await fuzz(safetensors, { runs: 20000 });
    t.diagnostic(JSON.stringify(report));
    assert.equal(failure, null, String((failure?.error as Error)?.stack));
    assert.equal(report.runs, 20000);
    assert.ok(report.branches > 700 && report.models > 10 && report.corpus > 100, 'it reaches little');
  });

  const plants: Record<string, Plant> = {
    'a dtype that is not looked up safely': {
      file: 'formats/safetensors.js',
      find: '!Object.hasOwn(DTYPES, dtype)',
      replace: 'false',
    },
    'ranges that may overlap': { file: 'formats/safetensors.js', find: 'begin !== covered', replace: 'false' },
    'an offset that is not compared': {
      file: 'formats/safetensors.js',
      find: 'end - begin !== expected',
      replace: 'false',
    },
    'a shape of any length': {
      file: 'formats/safetensors-header.js',
      find: 'values.length === limit',
      replace: 'false',
    },
    'a parse error that is let out': {
      file: 'formats/model-file.js',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: it is source text
      find: 'throw modelFileError(file, `bitpath.${key} is not valid JSON',
      replace: 'throw cause; (`',
    },
    'a library error that is not wrapped': {
      file: 'model.js',
      find: 'throw modelFileError(file, cause.message, cause);',
      replace: 'throw cause;',
    },
  };
  for (const [what, plant] of Object.entries(plants)) {
    it(`finds ${what}`, async (t) => {
      const { failure, runs } = await fuzz(safetensors, { runs: 100000, plant });
      assert.ok(failure !== null, 'it found nothing');
      t.diagnostic(`after ${runs} runs: ${failure.error}`);
    });
  }
});
