// Elements of an XML text as they stand in it: to change some of it and leave the rest as it was written.
import { SaxesParser } from 'saxes';

/** The texts of the elements of a path, in order: `['domain', 'devices', 'disk']`. @throws Error where malformed */
export function elementTexts(xml: string, path: readonly string[]): string[] {
  return spans(xml, path).map(([start, end]) => xml.slice(start, end));
}

/** The text with each element of a path as `change` gives it. @throws Error where malformed */
export function changed(xml: string, path: readonly string[], change: (element: string) => string): string {
  let result = '';
  let done = 0;
  for (const [start, end] of spans(xml, path)) {
    result += xml.slice(done, start) + change(xml.slice(start, end));
    done = end;
  }
  return result + xml.slice(done);
}

function spans(xml: string, path: readonly string[]): [number, number][] {
  const found: [number, number][] = [];
  const open: string[] = [];
  let start = 0;
  const parser = new SaxesParser<{ xmlns: false; position: true }>({ xmlns: false, position: true });
  const here = () => open.length === path.length && open.every((name, at) => name === path[at]);
  parser.on('error', (error) => {
    throw new Error(`malformed XML: ${error.message}`);
  });
  parser.on('opentag', ({ name }) => {
    open.push(name);
    // No “<” stands within a tag.
    if (here()) start = xml.lastIndexOf('<', parser.position - 1);
  });
  parser.on('closetag', () => {
    if (here()) found.push([start, parser.position]);
    open.pop();
  });
  parser.write(xml).close();
  return found;
}
