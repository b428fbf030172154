/** native/kernels/isa.def lists the instruction sets; what names them elsewhere names the same. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { root } from './root.js';

const read = (path: string) => readFileSync(`${root}${path}`, 'utf8');
const names = [...read('native/kernels/isa.def').matchAll(/^ISA\((\w+),/gm)].map(([, name = '']) => name);

/** File → the place in it that lists all names. */
const LISTS: Readonly<Record<string, RegExp>> = {
  'lib/native.ts': /export type Isa = (.*);/,
  'lib/bench/parseResult.ts': /const isa = oneOf\((.*)\);/,
  'lib/cli/main.ts': /instruction set: (.*);/,
  'lib/executor.ts': /\/\*\* (.*)\. Default: `BITPATH_ISA`/,
  'test/native/objects.cmake': /name MATCHES "\^\((scalar.*?)\)/,
};

describe('instruction sets', () => {
  it('there are some', () => assert.ok(names.length >= 4, String(names)));

  for (const [path, list] of Object.entries(LISTS)) {
    it(`${path} names those of isa.def`, () => {
      const [, found = ''] = list.exec(read(path)) ?? [];
      const words = (found.match(/\w+/g) ?? []).filter((word) => word !== 'or');
      assert.deepEqual(words.sort(), [...names].sort());
    });
  }
});
