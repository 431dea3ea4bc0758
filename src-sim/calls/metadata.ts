// What stands in a domain's definition for people and programs: its title, its description, and elements of anybody's.
import { affectFlags, metadataType } from '../../src-main/libvirt/index.ts';
import { changed, type Definition } from '../definition.ts';
import type { Domain } from '../domain.ts';
import { mustRun } from '../lifecycle.ts';
import { refuse } from '../refusal.ts';
import { childOf, node, parseXml, readOwn, writeXml, type Node } from '../xml.ts';
import type { Handlers } from './handlers.ts';

/** What stands before it. */
const before = {
  title: ['name', 'uuid', 'genid'],
  description: ['name', 'uuid', 'genid', 'title'],
  metadata: ['name', 'uuid', 'genid', 'title', 'description'],
};
type Place = keyof typeof before;

const placeOf = (type: number): Place =>
  type === metadataType.element ? 'metadata' : type === metadataType.title ? 'title' : 'description';

const prefixOf = ({ name }: Node) => /^(.+):/.exec(name)?.[1] ?? null;
const uriOf = (element: Node) => {
  const prefix = prefixOf(element);
  return element.attributes[prefix === null ? 'xmlns' : `xmlns:${prefix}`];
};

/** Whatever has no name space of its own gets that of its owner. */
const within = (element: Node, key: string, top: Record<string, string>): Node => ({
  ...element,
  name: element.attributes['xmlns'] ? element.name : `${key}:${element.name}`,
  attributes: { ...top, ...element.attributes },
  children: element.children.map((child) => within(child, key, {})),
});

const bare = (element: Node, prefix: string): Node => {
  const { [`xmlns:${prefix}`]: _own, ...attributes } = element.attributes;
  const name = element.name.startsWith(`${prefix}:`) ? element.name.slice(prefix.length + 1) : element.name;
  return { ...element, name, attributes, children: element.children.map((child) => bare(child, prefix)) };
};

function put(root: Node, name: Place, to: Node | null): void {
  root.children = root.children.filter((child) => child.name !== name);
  if (!to) return;
  const at = root.children.findIndex((child) => !before[name].includes(child.name));
  root.children.splice(at < 0 ? root.children.length : at, 0, to);
}

function elementOf(text: string, key: string, uri: string): Node {
  if (!/^[\p{L}_][\p{L}\p{N}._-]*$/u.test(key)) {
    throw refuse.xml('internal_error', 'internal error: failed to validate prefix for a new XML namespace');
  }
  try {
    return within(parseXml(text), key, { [`xmlns:${key}`]: uri });
  } catch (error) {
    throw refuse.malformed(`(metadata_xml): ${(error as Error).message}`);
  }
}

/** In what runs and in what is defined: flags 0 is what runs, or where nothing does what is defined. */
function alter(domain: Domain, flags: number, change: (definition: Definition) => Definition): void {
  const asked = flags || (domain.active ? affectFlags.live : affectFlags.config);
  if (asked & affectFlags.live) mustRun(domain);
  if (asked & affectFlags.config && !domain.persistent) {
    throw refuse.domain('operation_invalid', 'Requested operation is not valid: transient domains do not have config');
  }
  if (asked & affectFlags.live && domain.live) domain.live = change(domain.live);
  if (asked & affectFlags.config && domain.persistent) domain.persistent = change(domain.persistent);
}

export const metadataCalls: Handlers = {
  domain_set_metadata: async ({ dom, type, metadata, key, uri, flags }, { daemon }) => {
    const domain = daemon.named(dom);
    const name = placeOf(type);
    const made = name === 'metadata' && metadata !== null ? elementOf(metadata, key ?? '', uri ?? '') : null;
    await domain.lock.change(() =>
      alter(domain, flags, (definition) =>
        changed(definition, (root) => {
          if (name !== 'metadata') return put(root, name, metadata ? node(name, {}, metadata) : null);
          const others = childOf(root, name)?.children.filter((child) => uriOf(child) !== uri) ?? [];
          put(root, name, node(name, {}, made ? [...others, made] : others));
        }),
      ),
    );
    daemon.tell('metadata_change', domain, { type, uri });
    return {};
  },
  domain_get_metadata: ({ dom, type, uri, flags }, { daemon }) => {
    const domain = daemon.named(dom);
    const definition = flags & affectFlags.config ? (domain.persistent ?? domain.definition) : domain.definition;
    const found = childOf(readOwn(definition.xml), placeOf(type));
    const element = type === metadataType.element ? found?.children.find((child) => uriOf(child) === uri) : found;
    if (!element) throw refuse.domain('no_domain_metadata', 'metadata not found: Requested metadata is not present');
    if (type !== metadataType.element) return { metadata: element.text ?? '' };
    return { metadata: writeXml(bare(element, prefixOf(element) ?? '')) };
  },
};
