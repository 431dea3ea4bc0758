// A VM's XML as its source tells it now: asked once, however many targets it is judged for.
import type { DomainView } from '../../../contract/model.ts';
import type { Host } from '../../fleet/host.ts';
import { parseXml, type XmlElement } from '../../fleet/xml.ts';
import { xmlFlags } from '../../libvirt/index.ts';

export class SourceXml {
  readonly #source: Host;
  readonly #domain: Pick<DomainView, 'uuid' | 'name'>;
  readonly #read = new Map<number, Promise<string | null>>();
  #root: Promise<XmlElement | null> | null = null;

  constructor(source: Host, domain: Pick<DomainView, 'uuid' | 'name'>) {
    this.#source = source;
    this.#domain = domain;
  }

  /** Of a VM that runs: with all that it was given when it started. Null where it could not be read. */
  live(): Promise<string | null> {
    return this.#xml(0);
  }

  /** What its definition says for its next start. */
  inactive(): Promise<string | null> {
    return this.#xml(xmlFlags.inactive);
  }

  /** As a target takes it, passwords of its screens included: without these they would be open there. */
  migratable(): Promise<string | null> {
    return this.#xml(xmlFlags.migratable | xmlFlags.secure);
  }

  /** Of the live one. */
  root(): Promise<XmlElement | null> {
    return (this.#root ??= this.live().then((xml) => (xml === null ? null : parsed(xml))));
  }

  #xml(flags: number): Promise<string | null> {
    let read = this.#read.get(flags);
    if (!read) this.#read.set(flags, (read = this.#ask(flags)));
    return read;
  }

  async #ask(flags: number): Promise<string | null> {
    const { uuid, name } = this.#domain;
    try {
      return (await this.#source.connection.call('domain_get_xml_desc', { dom: { uuid, name }, flags })).xml;
    } catch {
      return null; // what is not known is said by whoever needs it
    }
  }
}

/** Null for what is no domain's XML. */
export function parsed(xml: string): XmlElement | null {
  try {
    return parseXml(xml, 'domain');
  } catch {
    return null;
  }
}
