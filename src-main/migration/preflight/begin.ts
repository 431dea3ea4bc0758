// What libvirt itself says of it: the source is asked for its own first step, without the flag that takes hold of the VM.
// So it answers as it will, and nothing has begun: of disks that it thinks unsafe, XML that makes it another machine,
// block jobs and backups that are under way, and whatever a later version refuses.
import type { Check } from '../../../contract/model.ts';
import { LibvirtError, type Param, param } from '../../libvirt/index.ts';
import { copying, flagsFor, isOff, paramsFor } from '../options.ts';
import type { Route } from '../route.ts';
import type { CopiedDisk } from '../storage/volumes.ts';
import type { SourceXml } from './domain-xml.ts';
import { error, quoted, warn } from './say.ts';

/** Another job on the VM holds the question up; the daemon itself waits up to 30 s for it. */
const timeoutMs = 4_000;

/** The same question is asked once, however many targets there are. */
const asked = new WeakMap<SourceXml, Map<string, Promise<Check[]>>>();

export function checkBegin(route: Route, copied: readonly CopiedDisk[], xml: SourceXml): Promise<Check[]> {
  const { domain, options } = route;
  const flags = flagsFor(copying(options, copied), domain.state === 'paused' && !isOff(options));
  const { destXml } = options;
  const params = [...paramsFor(options, copied), ...(destXml === null ? [] : [param.str('destination_xml', destXml)])];
  const questions = asked.get(xml) ?? new Map<string, Promise<Check[]>>();
  asked.set(xml, questions);
  const key = JSON.stringify([flags, params.map(({ name, value }) => [name, String(value)])]);
  let answer = questions.get(key);
  if (!answer) questions.set(key, (answer = ask(route, flags, params)));
  return answer;
}

async function ask({ domain, source }: Route, flags: number, params: Param[]): Promise<Check[]> {
  const dom = { name: domain.name, uuid: domain.uuid, id: domain.id ?? -1 };
  try {
    await (await source.work()).call('domain_migrate_begin3_params', { dom, params, flags }, { timeoutMs });
    return [];
  } catch (thrown) {
    // Whoever does not answer is said elsewhere; an old one that does not know the call is asked when it begins.
    if (!(thrown instanceof LibvirtError) || LibvirtError.is(thrown, 'no_support', 'no_domain')) return [];
    if (LibvirtError.is(thrown, 'operation_timeout')) {
      return [warn('begin', `Another job holds ${domain.name} on ${source.label}: libvirt says ${quoted(thrown)}.`)];
    }
    const message = `libvirt on ${source.label} refuses to begin the migration of ${domain.name}: ${quoted(thrown)}.`;
    return [error('begin', message, LibvirtError.is(thrown, 'migrate_unsafe') ? unsafe : undefined)];
  }
}

const unsafe =
  'Put the disk on storage that libvirt knows to be shared, or allow “unsafe” if you know that both hosts see the same data.';
