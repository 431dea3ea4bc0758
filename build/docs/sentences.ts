// Every sentence that Drover can say when something fails, read from its code: what the troubleshooting page has to hold.
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import ts from 'typescript';

export interface Sentence {
  /** As `src-main/ssh/connect.ts`. */
  file: string;
  /** What is filled in is `…`. */
  text: string;
}

export const top = resolve(import.meta.dirname, '..', '..');

/** Rooms whose sentences reach people. The command line says its own in `new Failure` and `new UsageError` only. */
const roots = ['contract', 'src-main'];
const onlyThrown = ['src-main/cli'];
const thrown = new Set(['Failure', 'UsageError', 'HttpFailure']);

export function sentences(): Sentence[] {
  return roots.flatMap((root) => [...filesOf(join(top, root))]).flatMap(sentencesOf);
}

function* filesOf(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesOf(path);
    else if (entry.name.endsWith('.ts') && !entry.name.endsWith('.d.ts')) yield path;
  }
}

function sentencesOf(path: string): Sentence[] {
  const file = relative(top, path).split(sep).join('/');
  const source = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true);
  const found = new Set<string>();
  const strict = onlyThrown.some((folder) => file.startsWith(`${folder}/`));
  const visit = (node: ts.Node, inside: boolean): void => {
    const within = inside || (ts.isNewExpression(node) && thrown.has(node.expression.getText(source)));
    const text = textOf(node);
    if (text !== null) {
      if (within && isSentence(text)) found.add(tidy(text));
      // A sentence that is filled into another one is told by that.
      if (ts.isTemplateExpression(node)) for (const { expression } of node.templateSpans) visit(expression, within);
      return;
    }
    ts.forEachChild(node, (child) => visit(child, within));
  };
  visit(source, !strict);
  return [...found].map((text) => ({ file, text }));
}

/** A string as it is written, a template with what is filled in as `…`, a sum of these; null for anything else. */
function textOf(node: ts.Node): string | null {
  if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) return node.text;
  if (ts.isTemplateExpression(node)) {
    return node.head.text + node.templateSpans.map(({ literal }) => `…${literal.text}`).join('');
  }
  if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.PlusToken) {
    const [left, right] = [textOf(node.left), textOf(node.right)];
    return left === null && right === null ? null : `${left ?? '…'}${right ?? '…'}`;
  }
  return null;
}

const tidy = (text: string) => text.replace(/\s+/g, ' ').replace(/…+/g, '…').trim();

/** Three words or more, and an end. */
function isSentence(text: string): boolean {
  return /[.?!]$/.test(text.trim()) && (text.match(/\p{L}{2,}/gu) ?? []).length >= 3 && !/^[a-z<#/-]/.test(text.trim());
}
