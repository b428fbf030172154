// Runs the prebuilt addon for musl on musl: npm has no Node for it, but it has Bun's binary, and Debian's package musl the loader.
// The default model must answer with the same bits as here. Needs prebuilds/linux-x64/bitpath.musl.node, an x86-64 Debian and npm.
//   node scripts/check-musl.mjs
// Bun also wants a libstdc++, of which Debian has only glibc's: it is given that one, and test/musl/shim.c for what it misses.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { zigEnvironment } from './zig.mjs';

const LOADER = '/lib/ld-musl-x86_64.so.1';
const BUN = '@oven/bun-linux-x64-musl@1.4.5';
/** Both libraries ask for glibc's loader too; the shim takes its name. */
const SHIM = 'ld-linux-x86-64.so.2';

const root = fileURLToPath(new URL('..', import.meta.url));
const home = join(root, 'out/musl');
assert.ok(existsSync(LOADER), `${LOADER} is missing (Debian: apt-get install musl)`);

const program = `
  import { loadModel } from '${root}dist/index.js';
  const model = await loadModel();
  const input = Uint8Array.from({ length: 128 * 128 * 3 }, (_, i) => (i * 7919) % 251);
  for (const isa of ['avx512', 'avx2', 'scalar']) {
    const executor = await model.compile({ threads: 2, isa }).catch(() => undefined);
    if (executor === undefined) continue;
    for (const { logits } of [await executor.run(input), executor.runSync(input)])
      console.log(isa, Buffer.from(logits.data.buffer, logits.data.byteOffset, logits.data.byteLength).toString('hex'));
  }`;

const folder = join(home, 'lib');
mkdirSync(folder, { recursive: true });
for (const name of ['libstdc++.so.6', 'libgcc_s.so.1'])
  copyFileSync(run('gcc', [`-print-file-name=${name}`]).trim(), join(folder, name));
const env = zigEnvironment({ arch: 'x64', libc: 'musl', glibc: '' }, join(home, 'zig'));
const shim = join(folder, SHIM);
run(env.CC, ['-shared', '-fPIC', '-O2', `-Wl,-soname,${SHIM}`, join(root, 'test/musl/shim.c'), '-o', shim], env);
run('npm', ['install', '--prefix', home, '--no-save', '--force', '--ignore-scripts', '--libc=musl', BUN]);
const bun = join(home, 'node_modules', BUN.replace(/@[\d.]+$/, ''), 'bin/bun');

const here = run(process.execPath, ['--input-type=module', '-e', program]);
const there = run(LOADER, ['--library-path', folder, bun, '-e', program], {
  LD_PRELOAD: shim,
  LIBC: 'musl',
  PREBUILDS_ONLY: '1',
});
assert.match(here, /scalar/);
assert.equal(there, here);
console.log(`${here.trim().split('\n').length} answers on musl (Bun) have the bits of Node's`);

function run(command, args, more = {}) {
  const child = spawnSync(command, args, { cwd: root, encoding: 'utf8', env: { ...process.env, ...more } });
  assert.equal(child.status, 0, `${command} ${args.slice(0, 4).join(' ')}: ${child.error ?? child.stderr}`);
  return child.stdout;
}
