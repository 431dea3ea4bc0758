// A VM's persistent definition, edited by hand: refused before libvirt is asked where it would overwrite what
// somebody else changed, or be another VM.
import { Failure } from '../../contract/failure.ts';
import type { DomainRef, DomainView } from '../../contract/model.ts';
import { defineFlags, xmlFlags } from '../libvirt/index.ts';
import { explain } from './explain.ts';
import type { Fleet } from './fleet.ts';
import { child, parseXml, text, type XmlElement } from './xml.ts';

const timeoutMs = 60_000;

export interface Edited {
  /** The whole definition, as it is to be. */
  xml: string;
  /** The definition that was edited, as `domains.xml` gave it with `inactive` and `secure`. */
  was: string;
  /** Has libvirt check it against its schema, which refuses what it does not know. */
  validate: boolean;
}

/**
 * @throws Failure `bad-request` where the XML is malformed or names another VM, `conflict` where the definition is no
 *   longer what was edited, `libvirt` with libvirt's own words
 */
export async function redefine(fleet: Fleet, ref: DomainRef, { xml, was, validate }: Edited): Promise<DomainView> {
  const { name, persistent, job } = fleet.domain(ref);
  const host = fleet.host(ref.hostId);
  const where = `${name} on ${host.label}`;
  if (!persistent) {
    throw new Failure('conflict', `${where} is transient: it has no definition to edit, and is gone once shut off.`);
  }
  if (job) throw new Failure('conflict', `${where} is being migrated. Edit it when the migration has ended.`);
  mustBeTheSame(rootOf(xml), name, ref.uuid);
  const doing = `defining ${name}`;
  try {
    const on = await host.work();
    const dom = { name, uuid: ref.uuid };
    const flags = xmlFlags.inactive | xmlFlags.secure;
    const now = await on.call('domain_get_xml_desc', { dom, flags }, { timeoutMs });
    if (now.xml !== was) {
      throw new Failure(
        'conflict',
        `The definition of ${where} changed since it was read, so nothing was written. Read it again, and make the change there.`,
      );
    }
    await on.call('domain_define_xml_flags', { xml, flags: validate ? defineFlags.validate : 0 }, { timeoutMs });
    await host.domains.refreshed(ref.uuid);
    return fleet.domain(ref);
  } catch (error) {
    throw explain(error, host.label, doing);
  }
}

function rootOf(xml: string): XmlElement {
  try {
    return parseXml(xml, 'domain');
  } catch (error) {
    throw new Failure('bad-request', `That is no domain's XML: ${(error as Error).message}.`);
  }
}

/** libvirt would take either as another VM's definition, beside this one. */
function mustBeTheSame(root: XmlElement, name: string, uuid: string): void {
  const said = { name: text(child(root, 'name')), uuid: text(child(root, 'uuid')) };
  if (said.uuid.toLowerCase().replaceAll('-', '') !== uuid.replaceAll('-', '')) {
    throw new Failure(
      'bad-request',
      `The UUID has to stay ${uuid}: with another, or none, this would be the definition of another VM.`,
    );
  }
  if (said.name !== name) {
    throw new Failure(
      'bad-request',
      `The name has to stay ${name}: an edited definition does not rename a VM, which keeps its files under its name.`,
    );
  }
}
