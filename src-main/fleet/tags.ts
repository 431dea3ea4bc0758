// A VM's tags, in its own definition on the host: they go along when it moves, and every admin sees the same.
import { child, text, type XmlElement } from './xml.ts';

/** A name of Drover's own, as libvirt wants one for whatever stands in a domain's metadata. */
export const tagsUri = 'urn:drover:vm:1';
export const tagsKey = 'drover';

/** What others wrote there is bounded, since each of 20,000 VMs is kept with its own. */
const most = 50;
const longest = 64;

/** As `domain_set_metadata` takes them; null takes them away. */
export const tagsXml = (tags: readonly string[]): string | null =>
  tags.length === 0 ? null : `<vm>${tags.map((tag) => `<tag>${escaped(tag)}</tag>`).join('')}</vm>`;

/** Of a domain's root element. */
export function readTags(root: XmlElement): string[] {
  for (const element of child(root, 'metadata')?.children ?? []) {
    const prefix = /^(.+):/.exec(element.name)?.[1];
    if (element.attributes[prefix === undefined ? 'xmlns' : `xmlns:${prefix}`] !== tagsUri) continue;
    const tags = new Map<string, string>();
    for (const one of element.children) {
      const tag = /(^|:)tag$/.test(one.name) ? text(one).replace(/\s+/g, '-').slice(0, longest) : '';
      if (tag && tags.size < most) tags.set(tag.toLowerCase(), tag);
    }
    return [...tags.values()];
  }
  return [];
}

const escaped = (value: string) =>
  value.replace(/[&<>]/g, (sign) => `&${{ '&': 'amp', '<': 'lt', '>': 'gt' }[sign] ?? ''};`);
