// Well-formed XML as a small tree: what is read from a host's XML needs no DOM, and there are thousands of them.
import { SaxesParser } from 'saxes';

export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: XmlElement[];
  /** Its own, without that of its children. */
  text: string;
}

/**
 * The root element, which has to be named `root`. Only XML's own five entities are known.
 * @throws Error on what is malformed or has a document type
 */
export function parseXml(xml: string, root: string): XmlElement {
  const document: XmlElement = { name: '', attributes: {}, children: [], text: '' };
  const open = [document];
  const parser = new SaxesParser<{ xmlns: false; position: false }>({ xmlns: false, position: false });
  parser.on('error', (error) => {
    throw new Error(`malformed XML: ${error.message}`);
  });
  parser.on('doctype', () => {
    throw new Error('XML with a document type is not taken');
  });
  parser.on('opentag', ({ name, attributes }) => {
    const element: XmlElement = { name, attributes, children: [], text: '' };
    open.at(-1)?.children.push(element);
    open.push(element);
  });
  parser.on('closetag', () => {
    open.pop();
  });
  const say = (text: string) => {
    const element = open.at(-1);
    if (element) element.text += text;
  };
  parser.on('text', say);
  parser.on('cdata', say);
  parser.write(xml).close();
  const element = document.children[0];
  if (element?.name !== root) throw new Error(`the XML’s root is <${element?.name ?? ''}>, not <${root}>`);
  return element;
}

export const children = (of: XmlElement | null, name: string): XmlElement[] =>
  of?.children.filter((one) => one.name === name) ?? [];

export const child = (of: XmlElement | null, name: string): XmlElement | null =>
  of?.children.find((one) => one.name === name) ?? null;

/** Null where it has no such attribute, or is not there itself. */
export const attribute = (of: XmlElement | null, name: string): string | null => of?.attributes[name] ?? null;

export const text = (of: XmlElement | null): string => of?.text.trim() ?? '';
