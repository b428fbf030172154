// Makes a release: version, changelog, checks, commit, tag. Pushing the tag starts .github/workflows/release.yml, which publishes.
//   node scripts/release.mjs <version> [--dry-run]     run in the root of a clean checkout of main
// --dry-run prints every step and changes nothing.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

const BRANCH = 'main';
const VERSION = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-(alpha|beta|rc)\.(0|[1-9]\d*))?$/;
/** What a version goes through, in order. */
const STAGES = ['alpha', 'beta', 'rc', undefined];
const UNRELEASED = '## [Unreleased]\n';
const CHECKS = ['lint', 'test'];

try {
  main();
} catch (error) {
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
}

function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { 'dry-run': { type: 'boolean', default: false } },
  });
  const [version, ...rest] = positionals;
  if (version === undefined || rest.length > 0)
    throw new Error('expected one version: node scripts/release.mjs <version> [--dry-run]');
  if (!VERSION.test(version)) throw new Error(`"${version}" is no version such as 1.2.3 or 1.2.3-rc.1`);
  for (const file of ['package.json', 'CHANGELOG.md'])
    if (!existsSync(file)) throw new Error(`there is no ${file} here; run this in the root of the repository`);

  const problems = findProblems(version);
  if (problems.length > 0)
    throw new Error(`${version} cannot be released:\n${problems.map((line) => `  - ${line}`).join('\n')}`);
  const texts = newTexts(version, new Date().toISOString().slice(0, 10));

  const step = (what, act) => {
    console.log(`${values['dry-run'] ? 'would ' : ''}${what}`);
    if (!values['dry-run']) act();
  };
  for (const [file, text] of texts) step(`write ${version} into ${file}`, () => writeFileSync(file, text));
  for (const script of CHECKS)
    step(`run npm run ${script}`, () => {
      if (spawnSync('npm', ['run', script], { stdio: 'inherit', shell: process.platform === 'win32' }).status === 0)
        return;
      git('checkout', '--', ...texts.keys());
      throw new Error(`npm run ${script} failed; the files are as they were`);
    });
  step(`commit ${[...texts.keys()].join(', ')}`, () =>
    git('commit', '--quiet', '-m', `Release ${version}`, '--', ...texts.keys()),
  );
  step(`tag v${version}`, () => git('tag', '--annotate', `v${version}`, '-m', `bitpath ${version}`));
  console.log(`then, by hand: git push --follow-tags origin ${BRANCH}`);
}

/** Everything that stands in the way, not only the first. */
function findProblems(version) {
  const problems = [];
  const branch = git('branch', '--show-current');
  if (branch !== BRANCH) problems.push(`the branch is ${branch || 'none'}, not ${BRANCH}`);
  const changed = git('status', '--porcelain').split('\n').filter(Boolean);
  if (changed.length > 0) problems.push(`the tree is not clean: ${changed.map((line) => line.slice(3)).join(', ')}`);
  if (git('tag', '--list', `v${version}`) !== '') problems.push(`the tag v${version} is there already`);
  const { version: current, repository } = JSON.parse(readFileSync('package.json', 'utf8'));
  if (compare(version, current) < 0) problems.push(`${version} is older than package.json's ${current}`);
  if (repository === undefined) problems.push('package.json names no repository, which provenance is compared with');
  const entries = unreleased(readFileSync('CHANGELOG.md', 'utf8'));
  if (entries === undefined) problems.push('CHANGELOG.md has no section [Unreleased]');
  else if (!/^- \S/m.test(entries)) problems.push('CHANGELOG.md has nothing under [Unreleased]');
  return problems;
}

/** The text between "Unreleased" and the next release. */
function unreleased(changelog) {
  const at = changelog.indexOf(UNRELEASED);
  return at === -1 ? undefined : changelog.slice(at + UNRELEASED.length).split(/^## /m)[0];
}

/** File → its text in the new version. Only the version changes, not the format. */
function newTexts(version, date) {
  const texts = new Map();
  const change = (file, pattern, replacement) => {
    const text = texts.get(file) ?? readFileSync(file, 'utf8');
    if (text.search(pattern) === -1) throw new Error(`${file} has no version to change`);
    texts.set(file, text.replace(pattern, replacement));
  };
  change('package.json', /^( {2}"version": )"[^"]*"/m, `$1"${version}"`);
  change('package-lock.json', /^( {2}"version": )"[^"]*"/m, `$1"${version}"`);
  change('package-lock.json', /^( {4}"": \{\n(?: {6}.*\n)*? {6}"version": )"[^"]*"/m, `$1"${version}"`);
  // Manifests name an image of this version.
  const { version: current } = JSON.parse(readFileSync('package.json', 'utf8'));
  const image = new RegExp(`\\bbitpath:${current.replaceAll('.', '\\.')}\\b`, 'g');
  for (const file of git('ls-files', 'deploy').split('\n').filter(Boolean))
    if (readFileSync(file, 'utf8').search(image) !== -1) change(file, image, `bitpath:${version}`);
  change('CITATION.cff', /^version: .*$/m, `version: ${version}`);
  change('CHANGELOG.md', /^## \[Unreleased\]\n/m, `${UNRELEASED}\n## [${version}] - ${date}\n`);
  return texts;
}

/** Negative, 0 or positive, as Semantic Versioning orders them. */
function compare(version, other) {
  const [a, b] = [version, other].map((text) => {
    const [major, minor, patch, stage, number] = VERSION.exec(text)?.slice(1) ?? [];
    return [Number(major), Number(minor), Number(patch), STAGES.indexOf(stage), Number(number ?? 0)];
  });
  const at = a.findIndex((part, i) => part !== b[i]);
  return at === -1 ? 0 : a[at] - b[at];
}

function git(...args) {
  const child = spawnSync('git', args, { encoding: 'utf8' });
  if (child.status !== 0) throw new Error(`git ${args.join(' ')}: ${(child.error?.message ?? child.stderr).trim()}`);
  return child.stdout.trimEnd();
}
