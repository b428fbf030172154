/** What `npm pack` would publish: all that an install needs, and nothing else. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { before, describe, it } from 'node:test';
import { root } from './root.js';

const MAX_BYTES = 12e6;
/** Every file of the package matches one of these. */
const WELCOME = [
  /^(package\.json|README\.md|CHANGELOG\.md|ARCHITECTURE\.md|LICENSE|binding\.gyp)$/,
  /^dist\/.*\.(js|d\.ts|html|css|svg|proto)$/,
  /^docs\/([\w-]+\/)*[\w.-]+\.(md|svg|png|webp)$/,
  /^models\/(README\.md|[\w.-]+\.safetensors)$/,
  /^native\/.*\.(cpp|h|inl|def|txt|map)$/,
  /^prebuilds\/(README\.md|[\w-]+\/bitpath(\.\w+)?\.(node|json))$/,
  /^scripts\/[\w-]+\.mjs$/,
  /^deploy\/[\w./-]+\.(md|yaml|mjs)$/,
  /^deploy\/[\w.-]*Dockerfile[\w.-]*$/,
];

describe('the package', () => {
  let files: readonly string[] = [];
  let size = 0;

  before(() => {
    const text = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [pack] = JSON.parse(text) as [{ size: number; files: readonly { path: string }[] }];
    files = pack.files.map(({ path }) => path);
    size = pack.size;
  });

  it('holds no stray file', (t) => {
    for (const path of files)
      assert.ok(
        WELCOME.some((pattern) => pattern.test(path)),
        path,
      );
    for (const path of files) assert.doesNotMatch(path, /(^|\/)(test|tests|out|training|bench\/results)\//, path);
    t.diagnostic(`${files.length} files, ${(size / 1e6).toFixed(2)} MB`);
  });

  it('is no larger than an install should be', () => assert.ok(size < MAX_BYTES, `${size} bytes`));

  it('holds what an install runs: the native sources, and the scripts with all that they import', () => {
    for (const path of ['binding.gyp', 'native/sources.txt', 'dist/index.js', 'dist/index.d.ts', 'dist/cli/main.js'])
      assert.ok(files.includes(path), path);
    const scripts = files.filter((path) => path.startsWith('scripts/'));
    assert.ok(scripts.includes('scripts/install.mjs'));
    for (const script of scripts) {
      for (const [, to] of readFileSync(root + script, 'utf8').matchAll(/from '(\.[^']+)'/g)) {
        const path = posix.join(posix.dirname(script), to!);
        assert.ok(files.includes(path), `${script} imports ${path}`);
      }
    }
  });

  it('holds no source map and nothing that needs a checkout', () => {
    for (const path of files.filter((name) => name.endsWith('.js')))
      assert.doesNotMatch(readFileSync(root + path, 'utf8'), /from '#lib\//, path);
    assert.ok(!files.some((path) => path.endsWith('.js.map')));
  });
});
