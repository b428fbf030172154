// npm run prebuild: the binaries that the package carries, made by prebuildify from a copy of the native sources, so that the
// checkout's own build/ stays as it is. Beside each lies a .json that says what it needs.
//   node scripts/prebuild.mjs                                  for this machine, by its own compiler
//   node scripts/prebuild.mjs --zig linux-arm64-musl …         on x64 Linux for any, x64 or arm64, glibc or musl, by zig from npm
//   node scripts/prebuild.mjs --glibc 2.28                     fails for one that needs a later glibc; zig builds for that one
//   node scripts/prebuild.mjs --out folder                     puts prebuilds/ there
// What Debian 12's own compiler links needs glibc 2.36; releases come from .github/workflows/release.yml.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { buildId } from './build-id.mjs';
import { headersPrefix } from './node-headers.mjs';
import { zigEnvironment } from './zig.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const require = createRequire(import.meta.url);

/** What zig builds for unless --glibc says otherwise: RHEL 8, Debian 10, Ubuntu 18.10 and later. */
const GLIBC = '2.28';
/** All that an addon has to export. */
const ENTRY = /^(napi_register_module_v\d+|node_api_module_get_api_version_v1)$/;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    glibc: { type: 'string' },
    out: { type: 'string', default: root },
    zig: { type: 'boolean', default: false },
  },
});
const out = resolve(values.out);
const host = [process.platform, process.arch, ...(process.platform === 'linux' ? [hostLibc()] : [])].join('-');
for (const target of positionals.length > 0 ? positionals : [host]) prebuild(target);

function prebuild(target) {
  const [platform, arch, libc] = target.split('-');
  if (values.zig ? platform !== 'linux' || !/^(glibc|musl)$/.test(libc ?? '') : target !== host)
    throw new Error(
      `${target} cannot be built here: this machine is ${host}, and --zig builds linux-<x64|arm64>-<glibc|musl>`,
    );
  const folder = join(out, 'prebuilds', `${platform}-${arch}`);
  const file = join(folder, platform === 'linux' ? `bitpath.${libc}.node` : 'bitpath.node');
  rmSync(file, { force: true });
  mkdirSync(folder, { recursive: true });
  const work = mkdtempSync(join(tmpdir(), 'bitpath-prebuild-'));
  try {
    for (const name of ['native', 'scripts', 'binding.gyp', 'package.json'])
      cpSync(join(root, name), join(work, name), { recursive: true });
    symlinkSync(join(root, 'node_modules'), join(work, 'node_modules'), 'junction');
    const prefix = headersPrefix();
    const env = {
      BITPATH_STATIC_RUNTIME: '1',
      JOBS: '2',
      ...(prefix ? { npm_config_nodedir: prefix } : {}),
      ...process.env,
      ...(values.zig ? zigEnvironment({ arch, libc, glibc: values.glibc ?? GLIBC }, join(work, 'zig')) : {}),
      ...(libc ? { PREBUILD_LIBC: libc } : {}),
    };
    const options = ['--napi', `--out=${out}`, `--platform=${platform}`, `--arch=${arch}`];
    if (libc) options.push('--tag-libc');
    if (!values.zig) options.push('--strip');
    const args = [require.resolve('prebuildify/bin.js'), ...options, `--target=${process.versions.node}`];
    const log = run(process.execPath, args, { cwd: work, env });
    const warnings = log.split('\n').filter((line) => /\bwarning\b:/.test(line));
    if (warnings.length > 0) throw new Error(`${target} is built with warnings:\n${warnings.join('\n')}`);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  const facts = inspect(file, platform, libc);
  writeFileSync(file.replace(/node$/, 'json'), `${JSON.stringify(facts, null, 2)}\n`);
  const needs = facts.glibc ? `, needs glibc ${facts.glibc}` : '';
  console.log(`${target}: ${(facts.bytes / 1e6).toFixed(2)} MB${needs}, build id ${facts.buildId.slice(0, 12)}`);
}

/** What a binary is and needs. Throws for one that must not be published. */
function inspect(file, platform, libc) {
  const facts = { bytes: statSync(file).size, buildId: buildId() };
  if (!readFileSync(file, 'latin1').includes(facts.buildId)) throw new Error(`${file} carries another build id`);
  if (platform !== 'linux') return facts;
  const symbols = run('objdump', ['-T', file]);
  const exported = [...symbols.matchAll(/^\S+ g\s+D\S*\s+\.\S+\s+\S+\s+(?:\S+\s+)?(\S+)$/gm)].map((match) => match[1]);
  const stray = exported.filter((symbol) => !ENTRY.test(symbol));
  if (exported.length === 0 || stray.length > 0) throw new Error(`${file} exports ${stray.join(', ') || 'nothing'}`);
  const dynamic = run('objdump', ['-p', file]);
  const libraries = [...dynamic.matchAll(/NEEDED\s+(\S+)/g)].map((match) => match[1]);
  const strange = libc === 'musl' ? /^(?!libc\.)/ : /c\+\+|gcc|musl/;
  if (libraries.length === 0 || libraries.some((name) => strange.test(name)))
    throw new Error(`${file} needs ${libraries.join(', ') || 'no library'}`);
  const versions = [...symbols.matchAll(/GLIBC_(\d+)\.(\d+)/g)].map((match) => [Number(match[1]), Number(match[2])]);
  if (versions.length > 0 !== (libc === 'glibc')) throw new Error(`${file} is no binary for ${libc}`);
  if (values.zig && !/FLAGS_1\s+0x0*[0-9a-f]*[89a-f]$/m.test(dynamic)) throw new Error(`${file} would be unloaded`);
  if (libc === 'musl') return { ...facts, libraries };
  const [major, minor] = versions.reduce((a, b) => (later(b, a) ? b : a));
  if (values.glibc !== undefined && later([major, minor], values.glibc.split('.').map(Number)))
    throw new Error(`${file} needs glibc ${major}.${minor}, later than ${values.glibc}`);
  return { ...facts, libraries, glibc: `${major}.${minor}` };
}

function later([major, minor], [otherMajor, otherMinor]) {
  return major > otherMajor || (major === otherMajor && minor > otherMinor);
}

/** Alpine's Node has no glibc to report. */
function hostLibc() {
  return process.report.getReport().header.glibcVersionRuntime === undefined ? 'musl' : 'glibc';
}

function run(command, args, options = {}) {
  const child = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 2 ** 28, ...options });
  const output = `${child.stdout ?? ''}${child.stderr ?? ''}`;
  if (child.status !== 0)
    throw new Error(`${command} ${args.join(' ')}: ${child.error?.message ?? `exit ${child.status}`}\n${output}`);
  return output;
}
