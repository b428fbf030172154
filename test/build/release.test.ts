/** scripts/release.mjs in a repository of its own, made for each test. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { root } from './root.js';

const CHANGELOG =
  '# Changelog\n\n## [Unreleased]\n\n### Added\n\n- A thing.\n\n## [0.1.0] - 2026-01-02\n\n- The first.\n';
const PACKAGE = {
  name: 'scratch',
  version: '0.1.0',
  repository: 'github:a/b',
  scripts: { lint: 'node pass.mjs lint', test: 'node pass.mjs test' },
};
const LOCK = {
  name: 'scratch',
  version: '0.1.0',
  lockfileVersion: 3,
  packages: { '': { name: 'scratch', version: '0.1.0' }, 'node_modules/other': { version: '0.1.0' } },
};
const FILES = ['package.json', 'package-lock.json', 'CITATION.cff', 'CHANGELOG.md'] as const;

describe('scripts/release.mjs', () => {
  let folder = '';
  const read = (file: string) => readFileSync(join(folder, file), 'utf8');
  const write = (file: string, text: string) => writeFileSync(join(folder, file), text);
  const json = (value: object) => `${JSON.stringify(value, null, 2)}\n`;
  const git = (...args: string[]) => execFileSync('git', args, { cwd: folder, encoding: 'utf8' }).trim();
  const commit = () => {
    git('add', '.');
    git('commit', '--quiet', '--message', 'x');
  };

  function release(...args: string[]): { readonly status: number | null; readonly out: string; readonly err: string } {
    const run = spawnSync(process.execPath, [`${root}scripts/release.mjs`, ...args], { cwd: folder, encoding: 'utf8' });
    return { status: run.status, out: run.stdout, err: run.stderr };
  }

  /** Fails with each of the messages, and leaves everything as it was. */
  function refused(args: readonly string[], ...messages: RegExp[]): void {
    const before = [git('rev-parse', 'HEAD'), git('status', '--porcelain'), git('tag'), ...FILES.map(read)];
    const { status, err } = release(...args);
    assert.equal(status, 1);
    for (const message of messages) assert.match(err, message);
    assert.deepEqual([git('rev-parse', 'HEAD'), git('status', '--porcelain'), git('tag'), ...FILES.map(read)], before);
  }

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'bitpath-release-'));
    git('init', '--quiet', '--initial-branch=main');
    for (const [key, value] of [
      ['user.name', 'nobody'],
      ['user.email', 'nobody@example.org'],
      ['commit.gpgsign', 'false'],
      ['tag.gpgsign', 'false'],
    ])
      git('config', key!, value!);
    write('package.json', json(PACKAGE));
    write('package-lock.json', json(LOCK));
    write('CITATION.cff', 'cff-version: 1.2.0\nversion: 0.1.0\n');
    write('CHANGELOG.md', CHANGELOG);
    mkdirSync(join(folder, 'deploy'));
    write('deploy/server.yaml', 'image: bitpath:0.1.0\nother: bitpath:0.1.01\n');
    write('.gitignore', 'ran\n');
    write('pass.mjs', "import { appendFileSync } from 'node:fs';\nappendFileSync('ran', process.argv[2]);\n");
    commit();
    git('tag', 'v0.1.0');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('writes the version everywhere, checks, commits and tags', () => {
    const { status, out, err } = release('0.2.0');
    assert.equal(status, 0, err);
    assert.match(out, /git push --follow-tags origin main/);
    assert.equal(JSON.parse(read('package.json')).version, '0.2.0');
    const lock = JSON.parse(read('package-lock.json'));
    assert.deepEqual(
      [lock.version, lock.packages[''].version, lock.packages['node_modules/other'].version],
      ['0.2.0', '0.2.0', '0.1.0'],
    );
    assert.equal(read('deploy/server.yaml'), 'image: bitpath:0.2.0\nother: bitpath:0.1.01\n');
    assert.match(read('CITATION.cff'), /^cff-version: 1\.2\.0\nversion: 0\.2\.0$/m);
    assert.match(
      read('CHANGELOG.md'),
      /^## \[Unreleased\]\n\n## \[0\.2\.0\] - \d{4}-\d\d-\d\d\n\n### Added\n\n- A thing\.\n\n## \[0\.1\.0\]/m,
    );
    assert.equal(read('ran'), 'linttest');
    assert.equal(git('log', '-1', '--format=%s'), 'Release 0.2.0');
    assert.equal(git('describe', '--exact-match'), 'v0.2.0');
    assert.equal(git('status', '--porcelain'), '');
    refused(['0.3.0'], /nothing under \[Unreleased\]/);
  });

  it('--dry-run says each step and does none', () => {
    const { status, out } = release('0.2.0', '--dry-run');
    assert.equal(status, 0);
    for (const file of FILES) assert.ok(out.includes(`would write 0.2.0 into ${file}\n`), out);
    assert.match(out, /would run npm run lint\nwould run npm run test\nwould commit .*\nwould tag v0\.2\.0\n/);
    assert.equal(JSON.parse(read('package.json')).version, '0.1.0');
    assert.equal(git('status', '--porcelain') + git('tag', '--list', 'v0.2.0'), '');
    assert.ok(!existsSync(join(folder, 'ran')));
  });

  it('refuses what is no version', () => {
    for (const args of [[], ['1.2.3', '1.2.4']]) refused(args, /^error: expected one version/);
    for (const version of ['v1.2.3', '1.2', '01.2.3', '1.2.3-x', '1.2.3 ', ''])
      refused([version], /is no version such as 1\.2\.3/);
    refused(['1.2.3', '--dry'], /^error: .*--dry/);
  });

  it('refuses an older version and one that has its tag', () => {
    refused(['0.1.0'], /the tag v0\.1\.0 is there already/);
    refused(['0.0.9'], /0\.0\.9 is older than package\.json's 0\.1\.0/);
    refused(['0.1.0-rc.1'], /is older than/);
    assert.equal(release('0.1.1-rc.1', '--dry-run').status, 0);
  });

  it('orders versions before a release', () => {
    for (const [current, next, isRefused] of [
      ['0.2.0-rc.2', '0.2.0', false],
      ['0.2.0-rc.3', '0.2.0-rc.10', false],
      ['0.2.0-rc.4', '0.2.0-beta.5', true],
      ['0.10.0', '0.9.0', true],
    ] as const) {
      write('package.json', json({ ...PACKAGE, version: current }));
      commit();
      assert.equal(release(next, '--dry-run').status, isRefused ? 1 : 0, `${current} → ${next}`);
    }
  });

  it('names everything that stands in the way at once', () => {
    git('switch', '--quiet', '--create', 'side');
    const { repository: _, ...rest } = PACKAGE;
    write('package.json', json(rest));
    write('CHANGELOG.md', '# Changelog\n');
    write('stray', '');
    refused(
      ['0.2.0', '--dry-run'],
      /the branch is side, not main/,
      /not clean: CHANGELOG\.md, package\.json, stray/,
      /no repository/,
      /no section \[Unreleased\]/,
    );
  });

  it('puts the files back when a check fails', () => {
    write('pass.mjs', "process.exitCode = process.argv[2] === 'test' ? 1 : 0;\n");
    commit();
    refused(['0.2.0'], /npm run test failed; the files are as they were/);
  });
});

describe('CHANGELOG.md', () => {
  const changelog = readFileSync(`${root}CHANGELOG.md`, 'utf8');

  it('has the form that a release needs: Unreleased first, sections of known kinds, versions with dates', () => {
    const headings = [...changelog.matchAll(/^## (.*)$/gm)].map(([, text = '']) => text);
    assert.equal(headings[0], '[Unreleased]');
    for (const heading of headings.slice(1)) assert.match(heading, /^\[\d+\.\d+\.\d+(-\w+\.\d+)?\] - \d{4}-\d\d-\d\d$/);
    for (const [, kind = ''] of changelog.matchAll(/^### (.*)$/gm))
      assert.match(kind, /^(Added|Changed|Deprecated|Removed|Fixed|Security)$/);
  });
});
