/** Every JavaScript and TypeScript block of the documents compiles against the package's types, also those that no test runs. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import ts from 'typescript';
import { root } from '../build/root.js';

/** What a block may leave to the text around it, names and files of the reader's, and the widths of JavaScript's types. */
const PASSED = [2304, 2552, 18004, 2322];
const OWN_FILE = /module '\.\.?\//;
const BLOCK = /```(?:js|ts)\n(.*?)```/gs;

const documents = [
  'README.md',
  ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`),
  ...readdirSync(join(root, 'examples')).map((name) => `examples/${name}/README.md`),
];

interface Snippet {
  readonly document: string;
  readonly file: string;
}

function snippets(): readonly Snippet[] {
  const folder = join(root, 'out/snippets/types');
  mkdirSync(folder, { recursive: true });
  return documents.flatMap((document) => {
    let text: string;
    try {
      text = readFileSync(join(root, document), 'utf8');
    } catch {
      return []; // no such document: a picture, or an example's other file
    }
    return [...text.matchAll(BLOCK)].map(([, code], i) => {
      const commonJs = /\brequire\(/.test(code as string);
      const name = `${document.replace(/\W/g, '-')}-${i}.${commonJs ? 'cts' : 'mts'}`;
      const file = join(folder, name);
      // A line of a list ends in a comma.
      writeFileSync(file, `${(code as string).replace(/,\s*$/, '')}\nexport {};\n`);
      return { document, file };
    });
  });
}

describe('snippets', () => {
  it('compile, one by one', (t) => {
    const all = snippets();
    const program = ts.createProgram(
      all.map(({ file }) => file),
      {
        target: ts.ScriptTarget.ES2023,
        module: ts.ModuleKind.NodeNext,
        moduleResolution: ts.ModuleResolutionKind.NodeNext,
        lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
        types: ['node'],
        strict: false,
        useUnknownInCatchVariables: false,
        skipLibCheck: true,
        noEmit: true,
      },
    );
    const wrong = all.flatMap(({ document, file }) => {
      const source = program.getSourceFile(file);
      assert.ok(source !== undefined, file);
      return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)]
        .filter(({ code, messageText }) => !PASSED.includes(code) && !OWN_FILE.test(String(messageText)))
        .map(({ messageText, start }) => {
          const line = source.getLineAndCharacterOfPosition(start ?? 0).line;
          return `${document}: ${source.text.split('\n')[line]}\n  ${ts.flattenDiagnosticMessageText(messageText, '\n  ')}`;
        });
    });
    assert.deepEqual(wrong, []);
    assert.ok(all.length >= 20, `${all.length} blocks`);
    t.diagnostic(`${all.length} blocks of JavaScript and TypeScript compile`);
  });
});
