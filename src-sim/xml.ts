// XML as libvirt writes it: two spaces a level, single quotes, text on one line with its element.
import { DOMParser, type Element } from '@xmldom/xmldom';

/** An element that is being put together; `text` and `children` exclude each other. */
export interface Node {
  name: string;
  attributes: Record<string, string>;
  text?: string;
  children: Node[];
}

export const node = (name: string, attributes: Record<string, string> = {}, inside: string | Node[] = []): Node => ({
  name,
  attributes,
  children: typeof inside === 'string' ? [] : inside,
  ...(typeof inside === 'string' && { text: inside }),
});

/** @throws Error on what is not well-formed. */
export function parseXml(xml: string): Node {
  const parser = new DOMParser({
    onError: (_level, message) => {
      throw new Error(message);
    },
  });
  const root = parser.parseFromString(xml, 'text/xml').documentElement;
  if (!root) throw new Error('no root element');
  return nodeOf(root);
}

function nodeOf(element: Element): Node {
  const attributes: Record<string, string> = {};
  for (const { name, value } of Array.from(element.attributes)) attributes[name] = value;
  const children: Node[] = [];
  for (let child = element.firstChild; child; child = child.nextSibling) {
    if (child.nodeType === 1) children.push(nodeOf(child as Element));
  }
  const text = children.length === 0 ? (element.textContent ?? '').trim() : '';
  return { name: element.nodeName, attributes, children, ...(text && { text }) };
}

export function writeXml(root: Node, indent = ''): string {
  const { name, attributes, text, children } = root;
  const head = `${indent}<${name}${Object.entries(attributes)
    .map(([key, value]) => ` ${key}='${escaped(value)}'`)
    .join('')}`;
  if (text) return `${head}>${escaped(text).replaceAll('\n', '&#10;')}</${name}>\n`;
  if (children.length === 0) return `${head}/>\n`;
  return `${head}>\n${children.map((child) => writeXml(child, `${indent}  `)).join('')}${indent}</${name}>\n`;
}

export const escaped = (text: string) =>
  text.replace(/[&<>'"]/g, (sign) => `&${{ '&': 'amp', '<': 'lt', '>': 'gt', "'": 'apos', '"': 'quot' }[sign] ?? ''};`);

export const childOf = (of: Node | undefined, name: string) => of?.children.find((child) => child.name === name);
export const childrenOf = (of: Node | undefined, name: string) =>
  of?.children.filter((child) => child.name === name) ?? [];
export const textOf = (of: Node | undefined, name: string) => childOf(of, name)?.text ?? '';

const line = /^<(\/?)([\w:.-]+)((?: [^=]+='[^']*')*)(\/?)>(?:([^<]*)<\/[\w:.-]+>)?$/;
const signs: Record<string, string> = { amp: '&', lt: '<', gt: '>', apos: "'", quot: '"', '#10': '\n' };
const unescaped = (text: string) => text.replace(/&([\w#]+);/g, (all, name: string) => signs[name] ?? all);

/** XML that `writeXml` has written: line by line, many times faster than a parser that takes anything. */
export function readOwn(xml: string): Node {
  const top = node('');
  const open = [top];
  for (const each of xml.split('\n')) {
    const [, closes, name = '', given = '', empty, text] = line.exec(each.trimStart()) ?? [];
    if (!name) continue;
    if (closes) {
      open.pop();
      continue;
    }
    const attributes: Record<string, string> = {};
    for (const [, key = '', value = ''] of given.matchAll(/ ([^=]+)='([^']*)'/g)) attributes[key] = unescaped(value);
    const one = node(name, attributes, text === undefined ? [] : unescaped(text));
    open.at(-1)?.children.push(one);
    if (!empty && text === undefined) open.push(one);
  }
  return top.children[0] ?? top;
}
