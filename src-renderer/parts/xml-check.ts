// What can be said of an edited definition before a host is asked, and where in it libvirt's answer points.
import { xmlCheck as words } from '../words/xml.ts';

export interface XmlFault {
  message: string;
  /** From 1; null where it is about no line. */
  line: number | null;
}

/** What forbids to write this as the definition of that VM; null where nothing does. */
export function xmlFault(xml: string, { name, uuid }: { name: string; uuid: string }): XmlFault | null {
  const document = new DOMParser().parseFromString(xml, 'application/xml');
  const broken = document.querySelector('parsererror');
  if (broken) {
    const said = /error on line (\d+) at column \d+: ([^\n]+?)(?:\n|Below is|$)/.exec(broken.textContent);
    return {
      message: words.malformed(said?.[2] ?? null),
      line: said ? Number(said[1]) : null,
    };
  }
  const root = document.documentElement;
  if (root.nodeName !== 'domain') return { message: words.noDomain(root.nodeName), line: 1 };
  const own = (which: string) =>
    [...root.children].find((child) => child.nodeName === which)?.textContent.trim() ?? null;
  const bare = (text: string) => text.toLowerCase().replaceAll('-', '');
  if (bare(own('uuid') ?? '') !== bare(uuid)) {
    return {
      message: words.otherUuid(uuid),
      line: lineOf(xml, '<uuid'),
    };
  }
  if (own('name') !== name) {
    return {
      message: words.otherName(name),
      line: lineOf(xml, '<name'),
    };
  }
  return null;
}

/** The line that libvirt's message is about: by number where it says one, else by the only element it can mean. */
export function pointedLine(message: string, xml: string): number | null {
  const numbered = /\):(\d+):/.exec(message);
  if (numbered) return Number(numbered[1]);
  for (const [, name = ''] of message.matchAll(/(?:Extra element|Invalid element|[Ee]lement) '?<?([\w:.-]+)/g)) {
    const places = xml.split(new RegExp(`<${name.replaceAll('.', '\\.')}(?=[\\s/>])`));
    if (places.length === 2) return places[0]?.split('\n').length ?? null;
  }
  // “… does not support machine type 'pc-99'”: what was written, where it stands once; the complaint comes last.
  for (const [, said = ''] of [...message.matchAll(/['‘]([^'’]{2,80})['’]/g)].reverse()) {
    const places = xml.split(new RegExp(`(?<=["'>])${said.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}(?=["'<])`));
    if (places.length === 2) return places[0]?.split('\n').length ?? null;
  }
  return null;
}

function lineOf(xml: string, part: string): number | null {
  const at = xml.indexOf(part);
  return at < 0 ? null : xml.slice(0, at).split('\n').length;
}
