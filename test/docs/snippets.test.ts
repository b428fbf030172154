/** Documents' JavaScript that says what it prints does print it. README.md has a test of its own. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { root } from '../build/root.js';

const SNIPPET = /<!-- run -->\n```js\n(.*?)```\n```text\n(.*?)```/gs;

describe('snippets', () => {
  let snippets = 0;
  for (const document of readdirSync(`${root}docs`).filter((name) => name.endsWith('.md'))) {
    const text = readFileSync(`${root}docs/${document}`, 'utf8');
    for (const [, code = '', output] of text.matchAll(SNIPPET)) {
      snippets++;
      const name = `${document.replace('.md', '')}-${snippets}.mjs`;
      it(`of docs/${document}: ${code.split('\n').find((line) => line !== '' && !line.startsWith('import'))}`, () => {
        // Inside the package, so that `bitpath` is this one.
        mkdirSync(`${root}out/snippets`, { recursive: true });
        writeFileSync(`${root}out/snippets/${name}`, code);
        const { BITPATH_ISA: _isa, BITPATH_THREADS: _threads, ...env } = process.env;
        const printed = execFileSync(process.execPath, [`out/snippets/${name}`], {
          cwd: root,
          env,
          encoding: 'utf8',
          timeout: 120_000,
        });
        // Another build of the SVG renderer may round a pixel differently, and the network's answer with it.
        const isSame = process.platform === 'linux' && process.arch === 'x64';
        const essence = (lines: string) => (isSame ? lines : lines.replace(/\d+\.\d+/g, ''));
        assert.equal(essence(printed), essence(output!));
      });
    }
  }
  it('there are some', () => assert.ok(snippets >= 3, `${snippets}`));
});
