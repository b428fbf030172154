/** What a function can throw, read from its text and from that of all functions of ours that it calls. */
import ts from 'typescript';
import { root } from '../build/root.js';

/** Stands for what has no code in the text: an error that is passed on, a signal's reason. */
export const UNNAMED = '*';

/** What the text of one function says. */
interface Facts {
  readonly codes: Set<string>;
  readonly calls: Set<ts.Node>;
}

export class Throws {
  readonly #checker: ts.TypeChecker;
  readonly #facts = new Map<ts.Node, Facts>();

  constructor(checker: ts.TypeChecker) {
    this.#checker = checker;
  }

  /** Codes, more of them rather than fewer: no condition is looked at. Empty where nothing is thrown. */
  of(body: ts.Node): ReadonlySet<string> {
    const codes = new Set<string>();
    const reached = new Set([body]);
    for (const each of reached) {
      const facts = this.#factsOf(each);
      for (const code of facts.codes) codes.add(code);
      for (const call of facts.calls) reached.add(call);
    }
    return codes;
  }

  #factsOf(body: ts.Node): Facts {
    let facts = this.#facts.get(body);
    if (facts === undefined) {
      facts = { codes: new Set(), calls: new Set() };
      this.#facts.set(body, facts);
      this.#visit(body, facts);
    }
    return facts;
  }

  #visit(node: ts.Node, facts: Facts): void {
    if (ts.isTryStatement(node) && node.catchClause !== undefined && !passesOn(node.catchClause)) {
      this.#visit(node.catchClause, facts);
      if (node.finallyBlock !== undefined) this.#visit(node.finallyBlock, facts);
      return;
    }
    if (ts.isThrowStatement(node)) this.#made(node.expression, facts.codes);
    if (ts.isCallExpression(node) || ts.isNewExpression(node)) {
      const target = this.#target(node);
      if (target !== undefined) facts.calls.add(target);
      if (ts.isCallExpression(node) && /^reject$|\.reject$/.test(node.expression.getText())) {
        for (const argument of node.arguments) this.#made(argument, facts.codes);
      }
    }
    ts.forEachChild(node, (child) => this.#visit(child, facts));
  }

  /** The codes of an error that `expression` makes. */
  #made(expression: ts.Expression, codes: Set<string>): void {
    let found = expression.getText();
    const visit = (node: ts.Node): void => {
      if (ts.isCallExpression(node)) found += this.#target(node)?.getText() ?? '';
      ts.forEachChild(node, visit);
    };
    visit(expression);
    const named = found.match(/ERR_BITPATH_[A-Z_]+/g) ?? [UNNAMED];
    for (const code of named) codes.add(code);
  }

  /** The function of ours that a call leads to; undefined for others, and for methods of interfaces. */
  #target({ expression, kind }: ts.CallExpression | ts.NewExpression): ts.Node | undefined {
    const callee = ts.isPropertyAccessExpression(expression) ? expression.name : expression;
    const symbol = this.#checker.getSymbolAtLocation(callee);
    if (symbol === undefined) return undefined;
    const { valueDeclaration } = symbol.flags & ts.SymbolFlags.Alias ? this.#checker.getAliasedSymbol(symbol) : symbol;
    let declaration: ts.Node | undefined = valueDeclaration;
    if (declaration === undefined || !declaration.getSourceFile().fileName.startsWith(`${root}lib/`)) return undefined;
    if (ts.isClassDeclaration(declaration) && kind === ts.SyntaxKind.NewExpression)
      declaration = declaration.members.find(ts.isConstructorDeclaration);
    if (declaration !== undefined && ts.isVariableDeclaration(declaration)) declaration = declaration.initializer;
    return declaration !== undefined && ts.isFunctionLike(declaration) ? declaration : undefined;
  }
}

/** True where a `catch` ends in an error again. */
function passesOn(clause: ts.CatchClause): boolean {
  return /\bthrow\b|\breject\(/.test(clause.getText());
}
