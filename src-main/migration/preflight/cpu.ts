// Whether the target can give the guest the processor that it has: by libvirt's own comparison with its hypervisor.
import type { Check } from '../../../contract/model.ts';
import { elementTexts } from '../../fleet/xml-edit.ts';
import { attribute, child, text, type XmlElement } from '../../fleet/xml.ts';
import { type Connection, cpuCompareFlags, LibvirtError } from '../../libvirt/index.ts';
import type { Route } from '../route.ts';
import { error, ok, quoted, warn } from './say.ts';

const incompatible = 0;

/**
 * @param xml The domain's, as it runs: with each feature that it was given.
 * @returns null where there is nothing to compare
 */
export async function checkCpu(
  { domain, source, target }: Route,
  xml: string,
  root: XmlElement,
): Promise<Check | null> {
  const cpu = child(root, 'cpu');
  const [own] = elementTexts(xml, ['domain', 'cpu']);
  if (!cpu || own === undefined) return null;
  const mode = attribute(cpu, 'mode') ?? 'custom';
  if (mode === 'host-passthrough' || mode === 'maximum') return checkPassedThrough(mode, { domain, source, target });
  const type = child(child(root, 'os'), 'type');
  const model = text(child(cpu, 'model')) || mode;
  try {
    const asked = {
      emulator: null,
      arch: attribute(type, 'arch'),
      machine: attribute(type, 'machine'),
      virttype: attribute(root, 'type'),
      xml: own,
      flags: cpuCompareFlags.fail_incompatible,
    };
    const { result } = await compare(target.connection, asked);
    if (result !== incompatible) return ok('cpu', `${target.label} can give ${domain.name} its processor (${model}).`);
    return error('cpu', `${target.label} cannot give ${domain.name} its processor (${model}).`, helps(target.label));
  } catch (thrown) {
    if (LibvirtError.is(thrown, 'cpu_incompatible')) {
      const message = `${target.label} cannot give ${domain.name} its processor (${model}): libvirt says ${quoted(thrown)}.`;
      return error('cpu', message, await baseline(target.connection, own, root).catch(() => helps(target.label)));
    }
    const why = thrown instanceof LibvirtError ? ` (${quoted(thrown)})` : '';
    return warn('cpu', `Whether ${target.label} can give ${domain.name} its processor (${model}) is not known${why}.`);
  }
}

type Compared = { emulator: string | null; arch: string | null; machine: string | null; virttype: string | null } & {
  xml: string;
  flags: number;
};

async function compare(on: Connection, asked: Compared): Promise<{ result: number }> {
  try {
    return await on.call('connect_compare_hypervisor_cpu', asked);
  } catch (thrown) {
    // Before libvirt 4.4: with the host's processor instead of what its hypervisor makes of it.
    if (!LibvirtError.is(thrown, 'no_support')) throw thrown;
    return on.call('connect_compare_cpu', { xml: asked.xml, flags: asked.flags });
  }
}

/** The guest has just the host's processor: any other may lack what the guest has found and uses. */
function checkPassedThrough(
  mode: string,
  { domain, source, target }: Pick<Route, 'domain' | 'source' | 'target'>,
): Check {
  const [here, there] = [source.capabilities?.hostCpu ?? null, target.capabilities?.hostCpu ?? null];
  const has = `${domain.name} has the whole processor of ${source.label} (${mode})`;
  if (here === null || there === null) {
    return warn('cpu', `${has}, and whether that of ${target.label} is the same is not known.`);
  }
  if (here === there) return ok('cpu', `${has}, and ${target.label} has the same.`);
  const message = `${has}, and ${target.label} has another one: libvirt does not refuse that, but the guest may crash.`;
  return warn('cpu', message, 'Give it a named processor that both hosts have, and restart it.');
}

const helps = (target: string) =>
  `Give it a processor in its XML that ${target} has, too, and restart it; or choose another host.`;

/** What both could give it, to be put into its XML. */
async function baseline(on: Connection, own: string, root: XmlElement): Promise<string> {
  const type = child(child(root, 'os'), 'type');
  const of = {
    emulator: null,
    arch: attribute(type, 'arch'),
    machine: attribute(type, 'machine'),
    virttype: attribute(root, 'type'),
  };
  const { xml } = await on.call('connect_get_domain_capabilities', of);
  const [mode = ''] = elementTexts(xml, ['domainCapabilities', 'cpu', 'mode']).filter((each) =>
    /^<mode name=.host-model./.test(each),
  );
  const arch = `<arch>${of.arch ?? ''}</arch>`;
  const theirs = `<cpu>${arch}${mode.replace(/^<mode[^>]*>|<\/mode>$/g, '')}</cpu>`;
  const ours = own.replace(/^<cpu[^>]*>/, `<cpu>${arch}`);
  const { cpu } = await on.call('connect_baseline_hypervisor_cpu', { ...of, cpus: [theirs, ours] });
  // It takes features that either lacks for given, so it is asked whether that would do.
  await compare(on, { ...of, xml: cpu, flags: cpuCompareFlags.fail_incompatible });
  const model = /<model[^>]*>([^<]+)</.exec(cpu)?.[1] ?? '';
  if (!model) throw new Error('no model');
  const features = [...cpu.matchAll(/policy='(require|disable)' name='([^']+)'/g)].map(
    ([, policy, name = '']) => `${policy === 'require' ? '+' : '-'}${name}`,
  );
  const what = [model, ...features].join(' ');
  return `Both hosts could give it ${what}: put that into its XML, and restart it.`;
}
