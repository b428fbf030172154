import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { libc, native } from '#lib/native.js';
import { bitpath, ended, root, start, temporaryFolder } from './run.js';

const COMMANDS = [
  'classify',
  'batch',
  'worker',
  'models',
  'describe',
  'evaluate',
  'export',
  'diff',
  'bench',
  'table1',
  'search',
  'analyze',
  'doctor',
];

describe('help', () => {
  it('names every command and the environment', async () => {
    const { code, stdout, stderr } = await bitpath(['--help']);
    assert.equal(code, 0);
    assert.equal(stderr, '');
    for (const command of COMMANDS) assert.match(stdout, new RegExp(`^  ${command}  +\\S`, 'm'));
    for (const word of ['BITPATH_THREADS', 'BITPATH_ISA', 'Exit codes:', 'Example:'])
      assert.ok(stdout.includes(word), word);
  });

  for (const command of COMMANDS) {
    it(`of ${command} has an example and fits 80 columns`, async () => {
      const [help, long] = await Promise.all([bitpath([command, '--help']), bitpath(['help', command])]);
      assert.equal(help.code, 0);
      assert.equal(help.stderr, '');
      assert.equal(long.stdout, help.stdout);
      assert.ok(help.stdout.startsWith(`Usage: bitpath ${command} `), help.stdout);
      assert.match(help.stdout, new RegExp(`\nExamples:\n  \\$ bitpath ${command}\\b`));
      assert.match(help.stdout, /^ {2}--json /m);
      for (const line of help.stdout.split('\n')) assert.ok(line.length <= 80, line);
    });
  }

  it('without a command goes to stderr', async () => {
    const { code, stdout, stderr } = await bitpath([]);
    assert.equal(code, 2);
    assert.equal(stdout, '');
    assert.match(stderr, /^Usage: bitpath <command>/);
  });

  it('--version is the package’s', async () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    for (const flag of ['--version', '-V']) assert.deepEqual((await bitpath([flag])).stdout, `${version}\n`);
  });
});

describe('--version --json', () => {
  const expected = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

  it('is one document with the versions of all parts, in either order of the flags', async () => {
    const { code, stdout, stderr } = await bitpath(['--version', '--json']);
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
    for (const args of [
      ['--json', '--version'],
      ['-V', '--json'],
    ])
      assert.equal((await bitpath(args)).stdout, stdout);
    const { addon, packages, ...versions } = JSON.parse(stdout);
    assert.deepEqual(versions, {
      schema: 'bitpath.version/1',
      bitpath: expected.version,
      node: process.version,
      napi: Number(process.versions.napi),
      platform: `${process.platform}-${process.arch}`,
      libc: libc(),
    });
    assert.deepEqual(addon.isas, native().isas);
    assert.equal(addon.buildId, native().buildId);
    assert.equal(addon.isa, native().selectIsa(null));
    assert.match(addon.path, /\.node$/);
    assert.match(packages.sharp, /^\d+\.\d+\.\d+/);
    assert.deepEqual(Object.keys(packages), ['sharp', 'onnxruntime-node']);
  });

  it('says which instruction set is in use, and why the addon is not', async () => {
    const scalar = await bitpath(['--version', '--json'], { env: { BITPATH_ISA: 'scalar' } });
    assert.equal(JSON.parse(scalar.stdout).addon.isa, 'scalar');
    const { code, stdout } = await bitpath(['--version', '--json'], { env: { BITPATH_ISA: 'mmx' } });
    assert.equal(code, 0);
    assert.equal(JSON.parse(stdout).addon.code, 'ERR_BITPATH_ISA');
    assert.equal(JSON.parse(stdout).bitpath, expected.version);
  });

  it('BAD CALL --json alone', async () => {
    for (const args of [['--json'], ['--json', '--json']]) {
      const { code, stdout } = await bitpath(args);
      assert.deepEqual({ code, stdout }, { code: 2, stdout: '' });
    }
  });
});

describe('usage errors', () => {
  const cases: [args: string[], message: string, help?: string][] = [
    [['clasify', 'a.jpg'], "unknown command 'clasify' (did you mean classify?)", 'bitpath'],
    [['classify'], "missing required argument 'image'"],
    [['classify', '--tpo', '3', 'a.jpg'], "unknown option '--tpo' (did you mean --top?)"],
    [['classify', '--logits', 'a.jpg'], "option '--logits' needs '--json'"],
    [['classify', '--model'], "option '-m, --model <name-or-file>' argument missing"],
    ...['0', '-1', '1.5', 'many', '', '1e3', '99999999999999999999'].map((value): [string[], string] => [
      ['classify', `--top=${value}`, 'a.jpg'],
      `option '-k, --top <n>' argument '${value}' is invalid. Expected an integer from 1 to 1000000`,
    ]),
    [
      ['classify', '-t', '1025', 'a.jpg'],
      "option '-t, --threads <n>' argument '1025' is invalid. Expected an integer from 1 to 1024",
    ],
    [['describe'], "missing required argument 'model-or-architecture'"],
    [['describe', 'a', 'b'], "too many arguments for 'describe'. Expected 1 argument but got 2"],
    [
      ['describe', 'a', '--batch', '0'],
      "option '-b, --batch <n>' argument '0' is invalid. Expected an integer from 1 to 65536",
    ],
    [
      ['evaluate', 'a', '--limit', '0'],
      "option '-n, --limit <n>' argument '0' is invalid. Expected an integer from 1 to 2147483647",
    ],
  ];
  for (const [args, message, help = `bitpath ${args[0]}`] of cases) {
    it(`BAD CALL bitpath ${args.join(' ')}`, async () => {
      for (const extra of args[0] === 'clasify' ? [[]] : [[], ['--json']]) {
        if (extra.length > 0 && args.includes('--logits')) continue;
        const { code, stdout, stderr } = await bitpath([args[0]!, ...extra, ...args.slice(1)]);
        assert.equal(code, 2);
        assert.equal(stdout, '');
        assert.equal(stderr, `bitpath: ${message} (ERR_BITPATH_USAGE)\nTry: ${help} --help\n`);
      }
    });
  }
});

describe('errors that end a command', () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'flat'));
  writeFileSync(join(folder, 'junk.safetensors'), 'junk');
  const cases: [args: string[], stderr: RegExp, env?: Record<string, string>][] = [
    [
      ['classify', '-m', 'igp-resnet21-53-tiny-imagnet', 'a.jpg'],
      /^bitpath: No model is called "igp-resnet21-53-tiny-imagnet" \(did you mean "igp-resnet21-53-tiny-imagenet"\?\); known are .* \(ERR_BITPATH_UNKNOWN_NAME\)\n$/,
    ],
    [
      ['describe', 'igp-resnet37'],
      /^bitpath: No model or architecture is called "igp-resnet37" \(did you mean "igp-resnet37-41"\?\).* \(ERR_BITPATH_UNKNOWN_NAME\)\n$/,
    ],
    [['classify', '-m', 'junk.safetensors', 'a.jpg'], /^bitpath: junk\.safetensors: .* \(ERR_BITPATH_MODEL_FILE\)\n$/],
    [
      ['classify', '-m', './none.safetensors', 'a.jpg'],
      /^bitpath: \.\/none\.safetensors: .* \(ERR_BITPATH_MODEL_FILE\)\n$/,
    ],
    [['describe', './none.safetensors'], /^bitpath: \.\/none\.safetensors: .* \(ERR_BITPATH_MODEL_FILE\)\n$/],
    [['evaluate', 'none'], /^bitpath: none: .* \(ERR_BITPATH_DATASET\)\n$/],
    [['evaluate', 'flat'], /^bitpath: flat: .* \(ERR_BITPATH_DATASET\)\n$/],
    [['evaluate', 'junk.safetensors'], /^bitpath: junk\.safetensors: .* \(ERR_BITPATH_DATASET\)\n$/],
    [
      ['classify', 'a.jpg'],
      /^bitpath: Cannot use instruction set "sse9": .* \(ERR_BITPATH_ISA\)\n$/,
      { BITPATH_ISA: 'sse9' },
    ],
    [['classify', 'a.jpg'], /^bitpath: .*BITPATH_THREADS.* \(ERR_BITPATH_ARGUMENT\)\n$/, { BITPATH_THREADS: 'all' }],
  ];
  for (const [args, message, env = {}] of cases) {
    it(`BAD CALL bitpath ${args.join(' ')} ${JSON.stringify(env)}`, async () => {
      for (const extra of [[], ['--json']]) {
        const { code, stdout, stderr } = await bitpath([...args, ...extra], { cwd: folder, env });
        assert.match(stderr, message);
        assert.equal(code, 1);
        assert.equal(stdout, '');
      }
    });
  }

  it('control characters in names do not reach the terminal', async () => {
    const { code, stderr } = await bitpath(['classify', 'a\x1b[31m\nb.jpg']);
    assert.equal(code, 1);
    assert.match(stderr, /^bitpath: a\\u001b\[31m\n?.*b\.jpg: /s);
    assert.ok(!stderr.includes('\x1b'));
  });
});

describe('the process', () => {
  it('ends quietly where nobody reads its answer', async () => {
    for (const args of [
      ['models', '--architectures'],
      ['describe', 'bireal-resnet18-64-tiny-imagenet', '--json'],
    ]) {
      const child = start(args);
      child.stdout?.destroy();
      const { code, signal, stderr } = await ended(child);
      assert.deepEqual({ code, signal, stderr }, { code: 0, signal: null, stderr: '' });
    }
  });

  it('loads only what a command needs', async () => {
    const folder = temporaryFolder();
    const loaded = async (...args: string[]) => {
      const coverage = join(folder, args.join('_').replaceAll('/', '_'));
      await bitpath(args, { env: { NODE_V8_COVERAGE: coverage } });
      const scripts = readdirSync(coverage).flatMap((file) => {
        return (JSON.parse(readFileSync(join(coverage, file), 'utf8')) as { result: { url: string }[] }).result;
      });
      assert.ok(scripts.length > 5);
      return scripts.map(({ url }) => url).filter((url) => /\/(dist|node_modules)\//.test(url));
    };
    const help = await loaded('classify', '--help');
    assert.ok(help.some((url) => url.endsWith('/dist/cli/classify.js')));
    for (const url of help) assert.match(url, /\/dist\/(cli\/|errors\.js)|\/node_modules\/commander\//);

    const models = await loaded('models');
    assert.ok(models.some((url) => url.endsWith('/dist/model.js')));
    assert.ok(!models.some((url) => /node_modules\/(sharp|cli-progress|node-gyp-build)\/|\/dist\/datasets/.test(url)));
  });

  it('is the package’s bin', () => {
    const { bin } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { bin: { bitpath: string } };
    const text = readFileSync(join(root, bin.bitpath), 'utf8');
    assert.ok(text.startsWith('#!/usr/bin/env node\n'));
    if (process.platform !== 'win32') assert.equal(statSync(join(root, bin.bitpath)).mode & 0o111, 0o111);
  });
});
