// npm run prebuild: the binaries that the package carries, made by prebuildify from a copy of the native sources, so that the
// checkout's own build/ stays as it is.
//   node scripts/prebuild.mjs [target …] [--glibc 2.28] [--out folder]
// A target is <platform>-<arch>; by default this machine's. linux-arm64 is cross compiled by Debian's g++-aarch64-linux-gnu, every
// other is built on a machine of its own (.github/workflows/release.yml). prebuilds/report.json says what each binary needs.
// `--glibc` fails for one that needs a later version than it names: those that Debian 12 links need 2.36, a manylinux_2_28 image
// makes 2.28.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { buildId } from './build-id.mjs';
import { headersPrefix } from './node-headers.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const require = createRequire(import.meta.url);
const host = `${process.platform}-${process.arch}`;

/** "<host> <target>" → the prefix of the tools that cross compile. */
const CROSS = new Map([['linux-x64 linux-arm64', 'aarch64-linux-gnu-']]);
/** All that an addon has to export. */
const ENTRY = /^(napi_register_module_v\d+|node_api_module_get_api_version_v1)$/;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { glibc: { type: 'string' }, out: { type: 'string', default: root } },
});
const out = resolve(values.out);
for (const target of positionals.length > 0 ? positionals : [host]) prebuild(target);

function prebuild(target) {
  const tools = target === host ? '' : CROSS.get(`${host} ${target}`);
  if (tools === undefined) throw new Error(`${target} cannot be built on ${host}: .github/workflows/release.yml does`);
  const [platform, arch] = target.split('-');
  const folder = join(out, 'prebuilds', target);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const work = mkdtempSync(join(tmpdir(), 'bitpath-prebuild-'));
  try {
    for (const name of ['native', 'scripts', 'binding.gyp', 'package.json'])
      cpSync(join(root, name), join(work, name), { recursive: true });
    symlinkSync(join(root, 'node_modules'), join(work, 'node_modules'), 'junction');
    const options = ['--napi', '--strip', `--strip-bin=${tools}strip`, '--tag-libc', `--out=${out}`];
    const prefix = headersPrefix();
    const env = {
      BITPATH_STATIC_RUNTIME: '1',
      JOBS: '2',
      ...(prefix ? { npm_config_nodedir: prefix } : {}),
      ...(tools ? { CC: `${tools}gcc`, CXX: `${tools}g++`, AR: `${tools}ar`, LINK: `${tools}g++` } : {}),
      ...process.env,
    };
    const args = [...options, `--platform=${platform}`, `--arch=${arch}`, `--target=${process.versions.node}`];
    const log = run(process.execPath, [require.resolve('prebuildify/bin.js'), ...args], { cwd: work, env });
    const warnings = log.split('\n').filter((line) => /\bwarning\b:/.test(line));
    if (warnings.length > 0) throw new Error(`${target} is built with warnings:\n${warnings.join('\n')}`);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  const file = join(folder, platform === 'linux' ? `bitpath.${libc()}.node` : 'bitpath.node');
  const facts = inspect(file, platform, tools);
  record(target, facts);
  console.log(
    `${target}: ${(facts.bytes / 1e6).toFixed(2)} MB${facts.glibc ? `, needs GLIBC_${facts.glibc}` : ''}, build id ${facts.buildId.slice(0, 12)}`,
  );
}

/** What a binary is and needs. Throws for one that must not be published. */
function inspect(file, platform, tools) {
  const facts = { file: file.slice(out.length + 1), bytes: statSync(file).size, buildId: buildId() };
  if (!readFileSync(file, 'latin1').includes(facts.buildId)) throw new Error(`${file} carries another build id`);
  if (platform !== 'linux') return facts;
  const symbols = run(`${tools}objdump`, ['-T', file]);
  const exported = [...symbols.matchAll(/^\S+ g\s+D\S*\s+\.\S+\s+\S+\s+(?:\S+\s+)?(\S+)$/gm)].map((match) => match[1]);
  const stray = exported.filter((symbol) => !ENTRY.test(symbol));
  if (exported.length === 0 || stray.length > 0) throw new Error(`${file} exports ${stray.join(', ') || 'nothing'}`);
  const libraries = [...run(`${tools}objdump`, ['-p', file]).matchAll(/NEEDED\s+(\S+)/g)].map((match) => match[1]);
  if (libraries.some((name) => /stdc\+\+|gcc/.test(name))) throw new Error(`${file} needs ${libraries.join(', ')}`);
  const versions = [...symbols.matchAll(/GLIBC_(\d+)\.(\d+)/g)].map((match) => [Number(match[1]), Number(match[2])]);
  const [major, minor] = versions.reduce((a, b) => (later(b, a) ? b : a), [0, 0]);
  if (values.glibc !== undefined && later([major, minor], values.glibc.split('.').map(Number)))
    throw new Error(`${file} needs GLIBC_${major}.${minor}, later than ${values.glibc}`);
  return { ...facts, libraries, ...(major > 0 ? { glibc: `${major}.${minor}` } : {}) };
}

/** Targets that other machines have made stay in the report. */
function record(target, facts) {
  const path = join(out, 'prebuilds/report.json');
  let report = {};
  try {
    report = JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    // none yet
  }
  writeFileSync(path, `${JSON.stringify({ ...report, [target]: facts }, null, 2)}\n`);
}

function later([major, minor], [otherMajor, otherMinor]) {
  return major > otherMajor || (major === otherMajor && minor > otherMinor);
}

/** Alpine's Node has no glibc to report. */
function libc() {
  return process.report.getReport().header.glibcVersionRuntime === undefined ? 'musl' : 'glibc';
}

function run(command, args, options = {}) {
  const child = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 2 ** 28, ...options });
  const output = `${child.stdout ?? ''}${child.stderr ?? ''}`;
  if (child.status !== 0)
    throw new Error(`${command} ${args.join(' ')}: ${child.error?.message ?? `exit ${child.status}`}\n${output}`);
  return output;
}
