// The binaries that a release carries, and what each may need at most.
//   node scripts/prebuild-targets.mjs [target …]   fails unless prebuilds/ holds these (by default all), made from these sources
import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { buildId } from './build-id.mjs';

/** @type {Readonly<Record<string, { glibc?: string }>>} `<platform>-<arch>[-<libc>]` → the oldest C library that it loads with. */
export const TARGETS = {
  'linux-x64-glibc': { glibc: '2.28' },
  'linux-x64-musl': {},
  'linux-arm64-glibc': { glibc: '2.28' },
  'linux-arm64-musl': {},
  'darwin-x64': {},
  'darwin-arm64': {},
  'win32-x64': {},
};

/** What is wrong with a target's binary, or undefined. */
function problem(target) {
  const [platform, arch, libc] = target.split('-');
  const base = new URL(`../prebuilds/${platform}-${arch}/bitpath${libc ? `.${libc}` : ''}`, import.meta.url);
  if (!existsSync(`${fileURLToPath(base)}.node`)) return 'is not there';
  const facts = JSON.parse(readFileSync(`${fileURLToPath(base)}.json`, 'utf8'));
  if (facts.buildId !== buildId()) return 'was built from other sources';
  if (facts.bytes !== statSync(`${fileURLToPath(base)}.node`).size) return 'is not the file that was described';
  const limit = TARGETS[target].glibc;
  if (limit !== undefined && isLater(facts.glibc, limit)) return `needs glibc ${facts.glibc}, later than ${limit}`;
  return undefined;
}

/** @param {string} version @param {string} other */
export function isLater(version, other) {
  const [a, b] = [version, other].map((text) => text.split('.').map(Number));
  return a[0] > b[0] || (a[0] === b[0] && a[1] > b[1]);
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(TARGETS);
  for (const target of wanted) {
    const wrong = TARGETS[target] === undefined ? 'is none of the targets' : problem(target);
    if (wrong !== undefined) process.exitCode = 1;
    console.log(`${wrong === undefined ? 'ok   ' : 'error'} ${target}${wrong === undefined ? '' : ` ${wrong}`}`);
  }
}
