// What the window says stands in src-renderer/words, and nowhere else: a translation is then one folder.
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { parse } from 'svelte/compiler';
import ts from 'typescript';

const top = resolve(import.meta.dirname, '..');
/** Where words may not stand. The gallery is for those who build Drover, and never ships. */
const rooms = ['App.svelte', 'ConsoleWindow.svelte', 'main.ts', 'ui', 'parts', 'stores', 'drag', 'link', 'views'];

/** Two words in a row, or one that begins as a sentence or a label does. */
const saysSomething = (text: string) =>
  /\p{L}{2,}[,.:;!?]?\s+[\p{L}\d“(]/u.test(text) || /^\s*\p{Lu}\p{Ll}+[.:…]?\s*$/u.test(text) || /[“”’…]/.test(text);

/** Names of keys, as events and the shortcuts know them, are no words. */
const keys =
  /^(?:(?:Ctrl|Shift|Alt|Meta|Cmd)\+)*(?:Enter|Escape|Esc|Tab|Backspace|Delete|Home|End|Insert|Space|Page(?:Up|Down)|Arrow(?:Up|Down|Left|Right)|Control|Shift|Alt|Meta|Menu|ContextMenu|F\d+|.)?$/;

/** Attributes that hold no words, whatever they look like. */
const wordless = new Set([
  'class',
  'style',
  'role',
  'type',
  'href',
  'd',
  'name',
  'autocomplete',
  'points',
  'transform',
]);

interface Found {
  file: string;
  line: number;
  text: string;
}
const found: Found[] = [];

function note(file: string, source: string, at: number, text: string): void {
  found.push({
    file,
    line: source.slice(0, at).split('\n').length,
    text: text.trim().replaceAll(/\s+/g, ' ').slice(0, 90),
  });
}

/** What holds a literal that nobody reads: imports, types, comparisons, class names, selectors. */
function isMute(node: ts.Node): boolean {
  const { parent } = node;
  if (ts.isImportDeclaration(parent) || ts.isExportDeclaration(parent) || ts.isLiteralTypeNode(parent)) return true;
  if (ts.isCaseClause(parent) || ts.isExternalModuleReference(parent)) return true;
  if (ts.isElementAccessExpression(parent)) return true;
  if (ts.isPropertyAssignment(parent) && parent.name === node) return true;
  if (ts.isBinaryExpression(parent)) {
    const { kind } = parent.operatorToken;
    return kind === ts.SyntaxKind.EqualsEqualsEqualsToken || kind === ts.SyntaxKind.ExclamationEqualsEqualsToken;
  }
  if (ts.isPropertyAssignment(parent) && /^(authorization|fontFamily)$/.test(parent.name.getText())) return true;
  if (ts.isCallExpression(parent) && parent.expression.getText() === 'matchMedia') return true;
  if (ts.isCallExpression(parent) && ts.isPropertyAccessExpression(parent.expression)) {
    return /^(querySelector(All)?|closest|matches|startsWith|endsWith|includes|addEventListener|split|join|getContext|matchMedia)$/.test(
      parent.expression.name.text,
    );
  }
  // What only a programmer sees.
  return ts.isNewExpression(parent) && parent.expression.getText() === 'Error';
}

function inScript(file: string, source: string, script: string, offset: number): void {
  const tree = ts.createSourceFile(file, script, ts.ScriptTarget.Latest, true, ts.ScriptKind.TS);
  const walk = (node: ts.Node): void => {
    if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) {
      if (!isMute(node) && !keys.test(node.text) && saysSomething(node.text))
        note(file, source, offset + node.getStart(), node.text);
    } else if (ts.isTemplateExpression(node)) {
      const text = [node.head.text, ...node.templateSpans.map(({ literal }) => literal.text)].join('0');
      if (!isMute(node) && /\p{L}{2,}\s|\s\p{L}{2,}|\p{Lu}\p{Ll}/u.test(text))
        note(file, source, offset + node.getStart(), text);
    }
    ts.forEachChild(node, walk);
  };
  walk(tree);
}

type Node = { type: string; start: number; end: number; [key: string]: unknown };
const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && typeof (value as Node).type === 'string';

/** Of a component's markup: its text, the words in its attributes, and the literals in its expressions. */
function inMarkup(file: string, source: string, node: Node, attribute: string | null = null): void {
  if (node.type === 'Comment' || node.type === 'StyleDirective') return;
  if (node.type === 'Text') {
    const text = String(node['data']);
    const says =
      attribute === null
        ? /\p{L}{2,}/u.test(text)
        : !wordless.has(attribute) && !keys.test(text) && saysSomething(text);
    if (says && !/^data-/.test(attribute ?? '')) note(file, source, node.start, text);
    return;
  }
  if (node.type === 'ExpressionTag' || node.type === 'ConstTag' || node.type === 'RenderTag') {
    if (attribute === null || !wordless.has(attribute))
      inScript(
        file,
        source,
        `(${source
          .slice(node.start, node.end)
          .replace(/^\{(@\w+)?/, '')
          .slice(0, -1)})`,
        node.start,
      );
    return;
  }
  const within = node.type === 'Attribute' ? String(node['name']) : null;
  for (const [key, value] of Object.entries(node)) {
    if (key === 'css' || key === 'instance' || key === 'module' || key === 'metadata') continue;
    const inner = (Array.isArray(value) ? value : [value]) as unknown[];
    for (const one of inner) if (isNode(one)) inMarkup(file, source, one, within);
  }
}

function look(path: string): void {
  const source = readFileSync(path, 'utf8');
  const file = relative(top, path);
  if (path.endsWith('.ts')) return inScript(file, source, source, 0);
  const tree = parse(source, { modern: true });
  for (const script of [tree.module, tree.instance]) {
    if (!script) continue;
    const { start, end } = script.content as unknown as Node;
    inScript(file, source, source.slice(start, end), start);
  }
  inMarkup(file, source, tree.fragment as unknown as Node);
}

const only = process.argv.slice(2);
for (const room of rooms) {
  const path = join(top, 'src-renderer', room);
  const names = room.includes('.') ? [''] : readdirSync(path);
  for (const name of names) {
    const file = join(path, name);
    if (!/\.(ts|svelte)$/.test(file) || file.endsWith('.d.ts')) continue;
    if (only.length > 0 && !only.some((part) => relative(top, file).includes(part))) continue;
    look(file);
  }
}
for (const { file, line, text } of found) console.error(`${file}:${line}: ${text}`);
console.log(`${found.length} texts outside of src-renderer/words`);
process.exitCode = found.length > 0 ? 1 : 0;
