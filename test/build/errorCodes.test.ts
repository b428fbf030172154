/** One table of errors: native/base/error.h and docs/errors.md say what lib/errors.ts says. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { ERRORS } from '#lib/errors.js';
import { filesUnder, root } from './root.js';

describe('error codes', () => {
  const known = Object.keys(ERRORS);

  it('of native code are in the table', () => {
    const codes = [...readFileSync(`${root}native/base/error.h`, 'utf8').matchAll(/X\((\w+), "(ERR_BITPATH_\w+)"\)/g)];
    assert.ok(codes.length >= 8, `only ${codes.length} codes found`);
    for (const [, name, code] of codes) {
      assert.ok(known.includes(code!), `${code} is unknown to lib/errors.ts`);
      assert.equal(code, `ERR_BITPATH_${name!.toUpperCase()}`);
    }
  });

  it('are written nowhere else in native code', () => {
    for (const path of filesUnder('native', /\.(cpp|h|inl)$/)) {
      if (path !== 'native/base/error.h') assert.doesNotMatch(readFileSync(root + path, 'utf8'), /ERR_BITPATH_/, path);
    }
  });

  it('of docs/errors.md are those of the table, each once', () => {
    assert.ok(existsSync(`${root}docs/errors.md`), 'docs/errors.md is missing');
    const headings = [
      ...readFileSync(`${root}docs/errors.md`, 'utf8').matchAll(/^#+ `?(ERR_BITPATH_\w+)`?$|^\| `(ERR_BITPATH_\w+)`/gm),
    ];
    assert.deepEqual(headings.map(([, heading, row]) => heading ?? row).sort(), [...known].sort());
  });

  it('that lib/ throws are in the table, and every code is used', () => {
    const used = new Set<string>();
    for (const path of [...filesUnder('lib', /\.ts$/), 'native/base/error.h']) {
      if (path === 'lib/errors.ts') continue;
      for (const [code] of readFileSync(root + path, 'utf8').matchAll(/ERR_BITPATH_[A-Z_]+/g)) used.add(code);
    }
    assert.deepEqual([...used].sort(), [...known].sort());
  });
});
