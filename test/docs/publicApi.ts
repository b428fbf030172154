/** Every symbol that a user of the package can name, as TypeScript sees it from `exports`, with what its comment says. */
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import ts from 'typescript';
import { root } from '../build/root.js';

export interface PublicSymbol {
  /** Such as `bitpath/images · topK` or `bitpath · CompileOptions.threads`. */
  readonly name: string;
  /** `lib/executor.ts:24`. */
  readonly place: string;
  /** The comment with its tags, without stars; empty where there is none. */
  readonly doc: string;
  /** The function, method or constructor that it is, if it is one with a body. */
  readonly body: ts.Node | null;
  readonly declaration: ts.Declaration;
}

export interface PublicApi {
  readonly checker: ts.TypeChecker;
  readonly subpaths: readonly string[];
  readonly symbols: readonly PublicSymbol[];
  /** What public declarations mention, in types, and no subpath exports. */
  readonly hidden: readonly string[];
}

export function publicApi(): PublicApi {
  const { exports } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as {
    exports: Record<string, string | { readonly types: string }>;
  };
  const entries = Object.entries(exports).flatMap(([subpath, target]): [string, string][] =>
    typeof target === 'string'
      ? []
      : [[`bitpath${subpath.slice(1)}`, target.types.replace('./dist/', `${root}lib/`).replace(/\.d\.ts$/, '.ts')]],
  );
  const { config } = ts.readConfigFile(`${root}lib/tsconfig.json`, ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, `${root}lib`);
  const program = ts.createProgram(
    entries.map(([, file]) => file),
    { ...options, noEmit: true, composite: false, incremental: false },
  );
  const checker = program.getTypeChecker();
  const symbols: PublicSymbol[] = [];
  const seen = new Set<ts.Symbol>();
  const mentioned = new Map<ts.Symbol, string>();

  const add = (name: string, declaration: ts.Declaration): void => {
    const source = declaration.getSourceFile();
    const { line } = source.getLineAndCharacterOfPosition(declaration.getStart());
    const place = `${relative(root, source.fileName)}:${line + 1}`;
    const value = ts.isVariableDeclaration(declaration) ? declaration.initializer : declaration;
    const body = value !== undefined && ts.isFunctionLike(value) && 'body' in value ? value : null;
    symbols.push({ name, place, doc: docOf(declaration), body, declaration });
    parts(name, declaration);
  };

  /** What is declared inside of a declaration, but not in bodies: members, and members of the types written there. */
  const parts = (name: string, declaration: ts.Node): void => {
    const visit = (node: ts.Node): void => {
      if (ts.isBlock(node) || isHidden(node)) return;
      if (ts.isClassElement(node) || ts.isTypeElement(node)) {
        const isNamed = node.name !== undefined || ts.isConstructorDeclaration(node);
        if (isNamed) return add(`${name}.${node.name?.getText() ?? 'constructor'}`, node);
      }
      if (ts.isTypeReferenceNode(node)) mention(node.typeName, name);
      if (ts.isTypeQueryNode(node)) mention(node.exprName, name);
      if (ts.isExpressionWithTypeArguments(node)) mention(node.expression, name);
      ts.forEachChild(node, visit);
    };
    ts.forEachChild(declaration, visit);
  };

  const mention = (type: ts.Node, name: string): void => {
    const symbol = checker.getSymbolAtLocation(type);
    if (symbol !== undefined) mentioned.set(resolved(symbol), name);
  };

  const resolved = (symbol: ts.Symbol) =>
    symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;

  for (const [subpath, file] of entries) {
    const module = checker.getSymbolAtLocation(program.getSourceFile(file)!)!;
    for (const exported of checker.getExportsOfModule(module)) {
      const symbol = resolved(exported);
      if (seen.has(symbol)) continue;
      seen.add(symbol);
      for (const declaration of (symbol.declarations ?? []).slice(0, 1))
        add(`${subpath} · ${exported.name}`, declaration);
    }
  }
  const hidden = [...mentioned]
    .filter(([symbol]) => !seen.has(symbol) && isOurs(symbol))
    .map(([symbol, name]) => `${symbol.name}, of ${name}`);
  return { checker, subpaths: entries.map(([subpath]) => subpath), symbols, hidden };
}

/** The comment right above `node`, or above the statement that declares it. One that a blank line follows is the file's. */
export function docOf(node: ts.Node): string {
  const owner = ts.isVariableDeclaration(node) ? node.parent.parent : node;
  const comment = ts.getJSDocCommentsAndTags(owner).filter(ts.isJSDoc).at(-1);
  const text = owner.getSourceFile().text;
  if (comment === undefined || /\n\s*\n/.test(text.slice(comment.end, owner.getStart()))) return '';
  return comment
    .getText()
    .replace(/^\/\*\*\s*|\s*\*\/$/g, '')
    .replace(/\n\s*\* ?/g, '\n');
}

/** Private to the class, or marked `@internal`. */
function isHidden(node: ts.Node): boolean {
  if (!ts.isClassElement(node) && !ts.isTypeElement(node)) return false;
  if (node.name !== undefined && ts.isPrivateIdentifier(node.name)) return true;
  const flags = ts.getCombinedModifierFlags(node);
  return (flags & ts.ModifierFlags.Private) !== 0 || /@internal\b/.test(docOf(node));
}

function isOurs(symbol: ts.Symbol): boolean {
  const [declaration] = symbol.declarations ?? [];
  if (declaration === undefined || ts.isTypeParameterDeclaration(declaration)) return false;
  return declaration.getSourceFile().fileName.startsWith(`${root}lib/`);
}
