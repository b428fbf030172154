// Proves what the README promises of `npm install bitpath`: the packed tarball, in empty projects, without a compiler in PATH,
// answers from every kind of module. Needs prebuilds (npm run prebuild) and the npm registry.
//   node scripts/check-package.mjs [--tarball <file>] [--arm64 <node>] [--managers pnpm,yarn]
// --tarball <file>: this one instead of a new one: the one that a release publishes.
// --arm64 <node>: also an arm64 Node, run by qemu-aarch64-static on /usr/aarch64-linux-gnu.
// On Windows PATH stays as it is: compilers are not in it there, and what is built would be found all the same.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
const isWindows = process.platform === 'win32';
const { values } = parseArgs({
  options: { tarball: { type: 'string' }, arm64: { type: 'string' }, managers: { type: 'string', default: '' } },
});

const CLASSIFY = `
  const model = await loadModel();
  const executor = await model.compile({ threads: 1 });
  const { logits } = await executor.run(Uint8Array.from({ length: 128 * 128 * 3 }, (_, i) => (i * 7919) % 251));
  const bits = Array.from(new Uint32Array(logits.data.buffer, logits.data.byteOffset, logits.data.length));
  const answer = bits.reduce((a, b) => (Math.imul(a, 31) + b) >>> 0, 0);`;

/** What docs/modules.md writes in a CommonJS file of TypeScript. */
const [, COMMONJS_TYPESCRIPT] = /<!-- check-package: typescript\.cts -->\n```ts\n(.*?)```/s.exec(
  readFileSync(join(root, 'docs/modules.md'), 'utf8'),
);

/** File name → text: programs that print the hash of the default model's logits. */
const PROGRAMS = {
  'esm.mjs': `import { loadModel } from 'bitpath';${CLASSIFY}\nconsole.log(answer);`,
  'commonjs.cjs': `const { loadModel } = require('bitpath');\n(async () => {${CLASSIFY}\nconsole.log(answer);\n})();`,
  'worker.mjs': `import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { loadModel } from 'bitpath';
if (isMainThread) new Worker(new URL(import.meta.url)).on('message', (answer) => console.log(answer));
else {${CLASSIFY}\nparentPort.postMessage(answer);\n}`,
  'typescript.mts': `import { type Executor, loadModel, type Model, pipeline } from 'bitpath';
import { topK } from 'bitpath/images';
await using classify = await pipeline('image-classification');
console.log((await classify(['picture.svg'], { top_k: 1 }))[0]?.[0]?.label);
const model: Model = await loadModel();
const executor: Executor = await model.compile({ threads: 1 });
const { logits } = await executor.run(new Uint8Array(128 * 128 * 3));
const probability: number = topK(logits!.data, model.labels, 1)[0]!.probability;
export { probability };`,
  'typescript.cts': COMMONJS_TYPESCRIPT,
  'require.cts': `import bitpath = require('bitpath');
export const model: Promise<bitpath.Model> = bitpath.loadModel();
model.then(({ labels }) => console.log(labels?.length));`,
};

const work = mkdtempSync(join(tmpdir(), 'bitpath-package-'));
let checks = 0;
try {
  const tarball = values.tarball ? resolve(values.tarball) : pack();
  const path = isWindows ? process.env.PATH : pathWithoutCompilers();
  const answer = checkNpm(tarball, path);
  for (const manager of values.managers.split(',').filter(Boolean)) checkManager(manager, tarball, path, answer);
  if (values.arm64) checkArm64(tarball, answer);
  console.log(`${checks} ways to use the package work`);
} finally {
  rmSync(work, { recursive: true, force: true });
}

function pack() {
  const [{ filename, size, files }] = JSON.parse(
    run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', work], root),
  );
  console.log(`${filename}: ${files.length} files, ${(size / 1e6).toFixed(2)} MB`);
  return join(work, filename);
}

/** npm's own programs and a shell, and no more: no make, no python, no compiler. */
function pathWithoutCompilers() {
  const folder = join(work, 'bin');
  mkdirSync(folder);
  const bin = dirname(process.execPath);
  for (const name of ['node', 'npm', 'npx']) symlinkSync(realpathSync(join(bin, name)), join(folder, name));
  for (const name of ['sh', 'env']) symlinkSync(realpathSync(which(name)), join(folder, name));
  // A shell there finds node, so that it would find the others too.
  const look = 'for name in node g++ c++ clang++ gcc cc make python3; do command -v "$name"; done; true';
  assert.equal(run(join(folder, 'sh'), ['-c', look], folder, { PATH: folder }), `${join(folder, 'node')}\n`);
  return folder;
}

/** With and without install scripts; returns the answer that every other way must give. */
function checkNpm(tarball, path) {
  let answer;
  for (const flags of [[], ['--ignore-scripts']]) {
    const folder = project(`npm${flags.join('')}`);
    const env = { ...process.env, PATH: path };
    run('npm', ['install', '--no-audit', '--no-fund', ...flags, tarball], folder, env);
    assert.ok(!existsSync(join(folder, 'node_modules/bitpath/build')), 'something was built');
    for (const program of ['esm.mjs', 'commonjs.cjs', 'worker.mjs']) {
      const printed = run('node', ['--no-warnings', program], folder, env).trim();
      answer ??= printed;
      assert.equal(printed, answer, program);
      passed(`npm install ${flags.join(' ')} · ${program}`);
    }
    if (flags.length > 0) continue;
    checkTypes(folder, env, classifyPicture(folder, env));
    checkBundles(folder, env, answer);
  }
  return answer;
}

/** Returns the likeliest class. */
function classifyPicture(folder, env) {
  const svg =
    '<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"><circle cx="32" cy="32" r="20" fill="gold"/></svg>';
  writeFileSync(join(folder, 'picture.svg'), svg);
  const lines = run('npx', ['--no-install', 'bitpath', 'classify', 'picture.svg', '--json'], folder, env);
  passed('npx bitpath classify');
  return JSON.parse(lines).results[0].predictions[0].name;
}

/** Compiles and runs; tsc is this checkout's. */
function checkTypes(folder, env, best) {
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const types = ['--types', 'node', '--typeRoots', join(root, 'node_modules/@types'), '--strict', '--target', 'es2022'];
  for (const [module, resolution, files] of [
    ['nodenext', 'nodenext', ['typescript.mts', 'typescript.cts', 'require.cts']],
    ['node20', 'node16', ['typescript.mts', 'typescript.cts', 'require.cts']],
    ['esnext', 'bundler', ['typescript.mts']],
    ['commonjs', 'bundler', ['typescript.cts', 'require.cts']],
  ]) {
    const out = ['--module', module, '--moduleResolution', resolution, '--outDir', module];
    run(process.execPath, [tsc, ...types, ...out, ...files], folder);
    for (const file of files) {
      const program = join(module, file.replace(/ts$/, 'js'));
      const printed = run('node', ['--no-warnings', program], folder, env).trim();
      assert.equal(printed, file === 'require.cts' ? '200' : best, program);
      passed(`TypeScript, module ${module}, moduleResolution ${resolution} · ${file}`);
    }
  }
}

/** With the package outside of the bundle, and with all of it inside but its addon and models. */
function checkBundles(folder, env, answer) {
  run('npm', ['install', '--no-audit', '--no-fund', 'esbuild'], folder, env);
  for (const external of ['bitpath', 'sharp']) {
    const out = `bundle/${external}.mjs`;
    const flags = [
      '--bundle',
      '--platform=node',
      '--format=esm',
      `--external:${external}`,
      `--outfile=${out}`,
      '--log-level=error',
    ];
    run('npx', ['--no-install', 'esbuild', 'esm.mjs', ...flags], folder, env);
    assert.equal(run('node', [out], folder, env).trim(), answer, out);
    passed(`esbuild, ${external === 'bitpath' ? 'the package external' : 'all but the addon inside'}`);
  }
}

function checkManager(manager, tarball, path, answer) {
  const folder = project(manager);
  const npx = ['--yes', manager === 'yarn' ? 'yarn@1' : `${manager}@10`];
  run('npx', [...npx, 'add', tarball], folder, { ...process.env, CI: '' });
  assert.equal(run('node', ['esm.mjs'], folder, { ...process.env, PATH: path }).trim(), answer, manager);
  passed(`${manager} add`);
}

function checkArm64(tarball, answer) {
  const folder = project('arm64');
  run('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--cpu=arm64', '--os=linux', tarball], folder);
  const qemu = ['-L', '/usr/aarch64-linux-gnu', realpathSync(values.arm64)];
  for (const program of ['esm.mjs', 'commonjs.cjs', 'worker.mjs']) {
    const printed = run('qemu-aarch64-static', [...qemu, '--no-warnings', program], folder).trim();
    assert.equal(printed, answer, `${program} on arm64`);
    passed(`arm64 under qemu · ${program}`);
  }
}

function project(name) {
  const folder = join(work, name);
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'empty', version: '1.0.0', private: true }));
  for (const [file, text] of Object.entries(PROGRAMS)) writeFileSync(join(folder, file), text);
  return folder;
}

function passed(what) {
  checks++;
  console.log(`ok  ${what}`);
}

function which(name) {
  const folder = process.env.PATH.split(delimiter).find((entry) => existsSync(join(entry, name)));
  assert.ok(folder, `${name} is not in PATH`);
  return join(folder, name);
}

function run(command, args, cwd, env = process.env) {
  // npm and npx are scripts there, which only a shell starts.
  const shell = isWindows && /^np[mx]$/.test(command);
  const child = spawnSync(command, args, { cwd, env, shell, encoding: 'utf8', maxBuffer: 2 ** 26, timeout: 600_000 });
  assert.equal(child.status, 0, `${command} ${args.join(' ')}:\n${child.error ?? ''}${child.stdout}${child.stderr}`);
  return child.stdout;
}
