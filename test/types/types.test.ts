/** Types as users get them: `tsc -b test` has compiled the files here; this says that they look at all there is, and can fail. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import ts from 'typescript';
import { root } from '../build/root.js';

const folder = `${root}test/types/`;
const files = readdirSync(folder).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'));
const read = (path: string) => readFileSync(path, 'utf8');
const { exports } = JSON.parse(read(`${root}package.json`)) as { exports: Record<string, unknown> };

/** What other projects may have set; our own has the strictest. */
const LOOSER: ts.CompilerOptions = {
  strict: true,
  noEmit: true,
  target: ts.ScriptTarget.ES2022,
  types: ['node'],
  typeRoots: [`${root}node_modules/@types`],
};
const NODENEXT = { module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext };
const BUNDLER = { module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler };
const NODE20 = { module: ts.ModuleKind.Node20 };

/** Errors in `paths`, and in the package's own declarations, sorted. */
function errorsOf(paths: readonly string[], options: ts.CompilerOptions): string[] {
  const program = ts.createProgram(paths, { ...LOOSER, ...options });
  const ours = program.getSourceFiles().filter(({ fileName }) => !fileName.includes('/node_modules/'));
  return [...program.getOptionsDiagnostics(), ...ours.flatMap((file) => program.getSemanticDiagnostics(file))]
    .map(({ file, messageText, start = 0 }) => {
      const line = file === undefined ? 0 : file.getLineAndCharacterOfPosition(start).line + 1;
      return `${file?.fileName.replace(root, '')}:${line} ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
    })
    .sort();
}

/** A file beside the compiled tests, within the package, so that `bitpath` is this one. */
function scratch(name: string, text: string): string {
  mkdirSync(`${root}out/types`, { recursive: true });
  writeFileSync(`${root}out/types/${name}`, text);
  return `${root}out/types/${name}`;
}

describe('types', () => {
  it('of every subpath are tested, with cases that must not compile', (context) => {
    const texts = files.map((name) => read(folder + name)).join('\n');
    for (const [subpath, target] of Object.entries(exports)) {
      if (typeof target !== 'string') assert.ok(texts.includes(`from 'bitpath${subpath.slice(1)}'`), subpath);
    }
    const [positive, negative] = [/\bexpectTypeOf\b[(<]/g, /@ts-expect-error: /g].map(
      (each) => texts.match(each)!.length,
    );
    context.diagnostic(`${positive} types as expected, ${negative} errors as expected`);
    assert.ok(positive! > 80 && negative! > 35, `${positive}, ${negative}`);
  });

  it('hold under the options of other projects, declarations included', () => {
    const paths = files.map((name) => folder + name);
    assert.deepEqual(errorsOf(paths, { ...BUNDLER, noUncheckedIndexedAccess: true }), []);
  });

  it('can fail', () => {
    const text = read(`${folder}images.ts`);
    const wrong = text.replace("toEqualTypeOf<Tensor<'uint8'>>()", "toEqualTypeOf<Tensor<'float32'>>()");
    const missing = text.replace("dtype: 'int32'", "dtype: 'uint8'");
    assert.ok(wrong !== text && missing !== text);
    assert.match(
      errorsOf([scratch('wrong.mts', wrong), scratch('missing.mts', missing)], {
        ...NODENEXT,
        skipLibCheck: true,
      }).join('\n'),
      /^out\/types\/missing\.mts:\d+ Unused '@ts-expect-error' directive\.\nout\/types\/wrong\.mts:\d+ Type 'Tensor<"float32">' does not/,
    );
  });

  it('work from CommonJS as docs/modules.md says', () => {
    const [, text] = /<!-- check-package: typescript\.cts -->\n```ts\n(.*?)```/s.exec(read(`${root}docs/modules.md`))!;
    const path = scratch('commonjs.cts', text!);
    assert.deepEqual(errorsOf([path], { ...NODE20 }), []);
    const [refused] = errorsOf([path], { module: ts.ModuleKind.Node16 });
    assert.match(refused ?? '', /cannot be imported with 'require'/);
  });
});
