/** What `exports` promises: every subpath loads by `import` and, with no top-level await in its way, by `require`. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { root } from './root.js';

interface Package {
  readonly exports: Record<string, string | { readonly types: string; readonly default: string }>;
  readonly bin: Record<string, string>;
}
const { exports, bin } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as Package;

/** Names that a fresh process gets from `bitpath/<subpath>`. Node 20 warns that require(esm) is experimental; that is all. */
function names(subpath: string, how: 'require' | 'import'): string[] {
  const specifier = JSON.stringify(`bitpath${subpath.slice(1)}`);
  const print =
    '(module) => process.stdout.write(JSON.stringify(Object.keys(module).filter((name) => !["__esModule", "module.exports"].includes(name)).sort()))';
  const code = how === 'require' ? `(${print})(require(${specifier}))` : `import(${specifier}).then(${print})`;
  const child = spawnSync(process.execPath, ['--input-type=commonjs', '-e', code], { cwd: root, encoding: 'utf8' });
  assert.equal(child.status, 0, `${how} of ${specifier}: ${child.stderr}`);
  return JSON.parse(child.stdout) as string[];
}

describe('exports', () => {
  const subpaths = Object.entries(exports).filter(([, target]) => typeof target !== 'string');

  it('has subpaths', () => assert.ok(subpaths.length >= 2, `only ${subpaths.length}`));

  for (const [subpath, target] of subpaths) {
    it(`${subpath} loads by require and by import, with the same names`, () => {
      const required = names(subpath, 'require');
      assert.ok(required.length > 0, 'it exports nothing');
      assert.deepEqual(required, names(subpath, 'import'));
    });
    it(`${subpath} has types`, () => {
      assert.ok(typeof target !== 'string' && existsSync(root + target.types));
    });
  }

  it('./package.json is there for tools', () => assert.equal(exports['./package.json'], './package.json'));

  it('importing bitpath loads no addon and no sharp', () => {
    const code = `import('bitpath').then(() => {
      const loaded = process.report.getReport().sharedObjects.filter((path) => /\\.node$/.test(path));
      if (loaded.length > 0) throw new Error(loaded.join());
    })`;
    const child = spawnSync(process.execPath, ['--input-type=commonjs', '-e', code], { cwd: root, encoding: 'utf8' });
    assert.equal(child.status, 0, child.stderr);
  });

  it('commands are scripts', () => {
    for (const file of Object.values(bin)) assert.match(readFileSync(root + file, 'utf8'), /^#!\/usr\/bin\/env node\n/);
  });
});
