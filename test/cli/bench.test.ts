/** `bitpath bench`: whole runs on tiny pictures. Times are not looked at. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { PARTS } from '#lib/bench/index.js';
import { parseResult } from '#lib/bench/parseResult.js';
import type { BenchResult } from '#lib/bench/result.js';
import { fileNameOf, PART_NAMES } from '#lib/cli/bench.js';
import { bitpath, temporaryFolder } from './run.js';

const TINY = ['bench', '--quick', '--size', '64', '--threads', '1'];

/** Makes every import of onnxruntime-node or echarts fail, as where it is not installed. */
function without(name: string): Record<string, string> {
  const hook = `export async function resolve(specifier, context, next) {
    if (specifier === '${name}' || specifier.startsWith('${name}/')) throw new Error('Cannot find package');
    return next(specifier, context);
  }`;
  const url = JSON.stringify(`data:text/javascript,${encodeURIComponent(hook)}`);
  const register = `import { register } from 'node:module'; register(${url});`;
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(register)}` };
}

/** Other tests run at the same time, which is worth a warning. */
function assertQuiet(stderr: string): void {
  assert.match(stderr, /^(bitpath: warning: other programs were running \(load [\d.]+\): .*\n)?$/);
}

const rivals = ({ networks }: BenchResult) => networks.map(({ network, engine }) => `${engine} ${network}`);

describe('bitpath bench', () => {
  it('--json prints one result that fits the schema, with networks and both peers', async () => {
    const { code, stdout, stderr } = await bitpath([...TINY, '--json', '--only', 'networks']);
    assertQuiet(stderr);
    assert.equal(code, 0);
    const result = parseResult(stdout, 'stdout');
    assert.equal((result as { schema?: string }).schema, result.format);
    const { loadBefore, ...options } = result.options;
    assert.deepEqual(options, { quick: true, threads: 1, size: 64, only: ['networks'] });
    assert.ok(Number(loadBefore) >= 0);
    assert.notEqual(result.machine.onnxruntime, null);
    for (const rival of ['bitpath bireal-resnet18-64', 'bitpath igp-densenet51-53', 'bitpath resnet18'])
      assert.ok(rivals(result).includes(rival), rival);
    for (const { engine, batch, speedup, latency, imagesPerSecond, checked } of result.networks) {
      assert.equal(latency.rounds.length, 6);
      assert.ok(Math.abs(imagesPerSecond - (1000 * batch) / latency.p50) < 1e-6 * imagesPerSecond);
      assert.notEqual(checked, '');
      if (engine === 'onnxruntime float32') assert.equal(speedup.float32, 1);
      if (engine === 'onnxruntime int8') assert.equal(speedup.int8, 1);
    }
    for (const part of ['kernels', 'layers', 'scaling', 'memory', 'startup'] as const) {
      assert.deepEqual(result[part], [], part);
    }
  });

  it('without onnxruntime-node runs our side and prints the command that adds it', async () => {
    const args = [...TINY, '--only', 'scaling', 'memory', 'startup'];
    const { code, stdout, stderr } = await bitpath(args, { env: without('onnxruntime-node') });
    assertQuiet(stderr);
    assert.equal(code, 0);
    assert.match(stdout, /^left out\n {2}onnxruntime: it is not installed; to add it: npm install onnxruntime-node$/m);
    for (const title of ['machine', 'scaling', 'memory', 'start-up'])
      assert.match(stdout, new RegExp(`^${title}\\b`, 'm'));
    assert.doesNotMatch(stdout, /NaN|undefined|null/);
  });

  it('writes files where it is told to', async () => {
    const folder = temporaryFolder();
    const args = [...TINY, '--only', 'startup', '--json', 'own.json', '--html', 'own.html', '--save', 'results'];
    const { code, stdout, stderr } = await bitpath(args, { cwd: folder });
    assertQuiet(stderr);
    assert.equal(code, 0);
    const result = parseResult(readFileSync(join(folder, 'own.json'), 'utf8'), 'own.json');
    const name = fileNameOf(result.machine);
    assert.deepEqual(readdirSync(join(folder, 'results')).sort(), [`${name}.html`, `${name}.json`]);
    assert.deepEqual(parseResult(readFileSync(join(folder, 'results', `${name}.json`), 'utf8'), name), result);
    assert.match(readFileSync(join(folder, 'own.html'), 'utf8'), /^<!DOCTYPE html>/);
    for (const file of ['own.json', 'own.html', join('results', `${name}.json`)]) {
      assert.ok(stdout.includes(`written: ${file}\n`), file);
    }
  });

  it('says that a report needs echarts before it measures', async () => {
    const { code, stdout, stderr } = await bitpath([...TINY, '--html', 'x.html'], { env: without('echarts') });
    assert.match(stderr, /^bitpath: .*npm install echarts \(ERR_BITPATH_MISSING_PACKAGE\)\n$/);
    assert.equal(code, 1);
    assert.equal(stdout, '');
  });

  it('takes the parts that there are', async () => {
    assert.deepEqual([...PART_NAMES], [...PARTS]);
    const { code, stderr } = await bitpath(['bench', '--only', 'kernel']);
    assert.equal(code, 2);
    assert.match(stderr, /'--only <parts\.\.\.>' argument 'kernel' is invalid\. .*kernels.*\(ERR_BITPATH_USAGE\)/s);
  });

  it('BAD CALL a size that no network takes, an instruction set that is none', async () => {
    assert.equal((await bitpath(['bench', '--size', '31'])).code, 2);
    const { code, stderr } = await bitpath(TINY, { env: { BITPATH_ISA: 'sse9' } });
    assert.equal(code, 1);
    assert.match(stderr, /\(ERR_BITPATH_ISA\)\n$/);
  });

  it('names files by CPU, ISA and date', () => {
    const date = '2026-11-24T10:00:00.000Z';
    assert.equal(
      fileNameOf({ cpu: 'AMD EPYC (family 26 model 2)', isa: 'avx512', date }),
      'amd-epyc-family-26-model-2-avx512-2026-11-24',
    );
    assert.equal(fileNameOf({ cpu: '…', isa: 'neon', date }), 'cpu-neon-2026-11-24');
  });
});
