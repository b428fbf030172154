/** The addon under test is the one that these sources make, and both builds make it from the same list. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { native } from '#lib/native.js';
import { filesUnder, root } from './root.js';

const script = (name: string, ...args: string[]) =>
  execFileSync(process.execPath, [name, ...args], { cwd: root, encoding: 'utf8' });

describe('build id', () => {
  it('of the loaded addon is that of the sources', () => {
    assert.equal(native().buildId, script('scripts/build-id.mjs').trim(), 'the addon is stale: npm run build:native');
  });

  it('changes with any source, header or flag, and with nothing else', () => {
    const copy = mkdtempSync(join(tmpdir(), 'bitpath-build-id-'));
    try {
      for (const path of ['native', 'scripts', 'binding.gyp'])
        cpSync(root + path, join(copy, path), { recursive: true });
      const id = () => execFileSync(process.execPath, [join(copy, 'scripts/build-id.mjs')], { encoding: 'utf8' });
      const append = (path: string, text: string) => {
        const file = join(copy, path);
        writeFileSync(file, readFileSync(file, 'utf8') + text);
      };
      const before = id();
      assert.match(before, /^[0-9a-f]{64}\n$/);
      assert.equal(before.trim(), script('scripts/build-id.mjs').trim());
      writeFileSync(join(copy, 'native/notes.md'), 'no source');
      assert.equal(id(), before);
      const crlf = join(copy, 'native/base/bits.h');
      writeFileSync(crlf, readFileSync(crlf, 'utf8').replaceAll('\n', '\r\n'));
      assert.equal(id(), before);
      const seen = new Set([before]);
      for (const path of [
        'native/base/bits.h',
        'native/sources.txt',
        'native/kernels/isa.def',
        'native/kernels/nests.inl',
        'binding.gyp',
      ]) {
        append(path, '\n');
        seen.add(id());
      }
      writeFileSync(join(copy, 'native/base/added.h'), '');
      seen.add(id());
      assert.equal(seen.size, 7);
    } finally {
      rmSync(copy, { recursive: true });
    }
  });
});

describe('native/sources.txt', () => {
  const listed = script('scripts/native-sources.mjs').trim().split('\n');

  it('lists every .cpp once', () => {
    assert.deepEqual([...listed].sort(), filesUnder('native', /\.cpp$/));
  });

  it('is what both builds read', () => {
    const gyp = readFileSync(`${root}binding.gyp`, 'utf8');
    const cmake = readFileSync(`${root}CMakeLists.txt`, 'utf8') + readFileSync(`${root}cmake/sources.cmake`, 'utf8');
    assert.match(gyp, /'sources': \['<!@\(node scripts\/native-sources\.mjs\)'\]/);
    assert.match(cmake, /file\(READ native\/sources\.txt/);
    for (const [name, text] of Object.entries({ gyp, cmake })) {
      assert.match(text, /-ffp-contract=off/, name);
      assert.doesNotMatch(text, /-march|-mavx|-mtune|-ffast-math/, name);
      for (const source of listed) assert.ok(!text.includes(source), `${name} names ${source} a second time`);
    }
  });
});
