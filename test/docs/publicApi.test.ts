/** The public API is documented: every symbol has a comment, what can throw says so, and comments name real codes and symbols. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import ts from 'typescript';
import { ERRORS } from '#lib/errors.js';
import { root } from '../build/root.js';
import { docOf, publicApi } from './publicApi.js';
import { Throws } from './throws.js';

/** Tags that TSDoc and TypeDoc know, of those that we need. */
const TAGS = ['@throws', '@param', '@internal', '@example', '@link'];
const SAYS_THROWS = /@throws|\b[Tt]hrows?\b|\b[Rr]ejects?\b/;

const { checker, subpaths, symbols, hidden } = publicApi();
const place = (symbol: { readonly name: string; readonly place: string }) => `${symbol.place} ${symbol.name}`;

describe('public API', () => {
  it('is documented, symbol by symbol', (context) => {
    const silent = symbols.filter(({ doc }) => !/\p{Letter}|\p{Number}/u.test(doc));
    context.diagnostic(`${symbols.length - silent.length} of ${symbols.length} public symbols documented`);
    assert.deepEqual(silent.map(place), []);
  });

  it('was looked at in all of its subpaths, down to members of types and options written in place', () => {
    for (const subpath of subpaths)
      assert.ok(
        symbols.some(({ name }) => name.startsWith(`${subpath} · `)),
        subpath,
      );
    for (const name of [
      'bitpath · CompileOptions.threads',
      'bitpath · Executor.run',
      'bitpath · OpAttrs.sign.threshold',
      'bitpath · createModel.seed',
      'bitpath/images · decodeImage.maxPixels',
      'bitpath/analysis · ALMOST_THE_SAME',
    ])
      assert.ok(
        symbols.some((symbol) => symbol.name === name),
        name,
      );
    assert.ok(!symbols.some(({ name }) => /#|\.#/.test(name)));
    assert.ok(symbols.length > 800, `${symbols.length}`);
  });

  it('mentions nothing that cannot be imported, but for two tables that types are made from', () => {
    assert.deepEqual(
      hidden.map((name) => name.replace(/,.*/, '')),
      ['ERRORS', 'makeSchema'],
    );
  });

  it('says what functions throw, where they can', (context) => {
    const throws = new Throws(checker);
    const functions = symbols.filter(({ body }) => body !== null && throws.of(body).size > 0);
    const silent = functions.filter(
      ({ doc, declaration }) => !SAYS_THROWS.test(doc) && !/Every method throws/.test(docOf(declaration.parent)),
    );
    context.diagnostic(`${functions.length - silent.length} of ${functions.length} functions that can throw say so`);
    assert.deepEqual(silent.map(place), []);
    assert.ok(functions.length > 80, `${functions.length}`);
  });

  it('says what the default of numbers and switches is', () => {
    let defaults = 0;
    for (const { declaration, doc, name } of symbols) {
      if (!ts.isPropertySignature(declaration) || declaration.questionToken === undefined) continue;
      const isOption = /Options?\.|· [a-z]\w*\./.test(name);
      if (!isOption || !/\b(number|boolean)\b/.test(declaration.type?.getText() ?? '')) continue;
      assert.match(doc, /\b[Dd]efaults?\b|left out/, name);
      defaults++;
    }
    assert.ok(defaults > 40, `${defaults}`);
  });

  it('names only codes that exist, and that the function or native code can throw', () => {
    const throws = new Throws(checker);
    const native = readFileSync(`${root}native/base/error.h`, 'utf8');
    let codes = 0;
    for (const symbol of symbols) {
      const reached = symbol.body === null ? null : throws.of(symbol.body);
      for (const [code] of symbol.doc.matchAll(/ERR_BITPATH_\w+/g)) {
        assert.ok(code in ERRORS, `${place(symbol)}: ${code}`);
        assert.ok(
          reached === null || reached.has(code) || native.includes(`"${code}"`),
          `${place(symbol)} cannot throw ${code}`,
        );
        codes++;
      }
    }
    assert.ok(codes > 100, `${codes}`);
  });

  it('has well-formed comments: known tags, and links that lead to a symbol in sight', () => {
    const astray: string[] = [];
    let links = 0;
    for (const symbol of symbols) {
      const text = symbol.doc.replace(/```.*?```|`[^`\n]*`/gs, '');
      for (const [tag] of text.matchAll(/@\w+/g)) assert.ok(TAGS.includes(tag), `${place(symbol)}: ${tag}`);
      assert.equal(
        text.match(/\{@/g)?.length ?? 0,
        text.match(/\{@link [\w.]+( \| [^}]+)?\}/g)?.length ?? 0,
        place(symbol),
      );
    }
    const names = new Set(symbols.map(({ name }) => name));
    for (const { name, declaration } of symbols) {
      const parent = name.slice(0, name.lastIndexOf('.'));
      const subpath = name.slice(0, name.indexOf(' · '));
      for (const link of linksIn(declaration)) {
        const target = link.name?.getText() ?? link.text;
        // In the same subpath, in the same class, or imported from another one.
        const isImported = link.name !== undefined && checker.getSymbolAtLocation(link.name) !== undefined;
        const candidates = [`${subpath} · ${target}`, `${name}.${target}`, `${parent}.${target}`];
        if (isImported) candidates.push(...subpaths.map((other) => `${other} · ${target}`));
        if (!candidates.some((candidate) => names.has(candidate))) astray.push(`${name}: {@link ${target}}`);
        links++;
      }
    }
    assert.deepEqual(astray, []);
    assert.ok(links > 50, `${links}`);
  });
});

function linksIn(declaration: ts.Node): ts.JSDocLink[] {
  const links: ts.JSDocLink[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isJSDocLink(node)) links.push(node);
    ts.forEachChild(node, visit);
  };
  const owner = ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration;
  const comment = ts.getJSDocCommentsAndTags(owner).filter(ts.isJSDoc).at(-1);
  if (comment !== undefined) visit(comment);
  return links;
}
