// Whether the target's QEMU and libvirt are as new as the source's: the other way round is not promised by either.
import type { Check } from '../../../contract/model.ts';
import type { Host } from '../../fleet/host.ts';
import { ok, warn } from './say.ts';

export function checkVersions(source: Host, target: Host): Check[] {
  const [here, there] = [source.info, target.info];
  if (!here?.hypervisorVersion || !there?.hypervisorVersion) return [];
  const parts = [
    { name: here.hypervisor, here: here.hypervisorVersion, there: there.hypervisorVersion },
    { name: 'libvirt', here: here.libvirtVersion, there: there.libvirtVersion },
  ];
  const older = parts.filter((part) => compareVersions(part.there, part.here) < 0);
  if (older.length === 0) {
    const what = parts.map((part) => `${part.name} ${part.there}`).join(' and ');
    return [ok('versions', `${target.label} has ${what}, no older than ${source.label}.`)];
  }
  const what = older
    .map((part) => `${part.name} ${part.there}, older than ${part.here} on ${source.label}`)
    .join(', and ');
  const message = `${target.label} has ${what}: going to an older one mostly works, but nobody promises it.`;
  return [warn('versions', message, `Update ${target.label} first.`)];
}

/** Of dotted versions: below 0 where `a` is older. */
export function compareVersions(a: string, b: string): number {
  const [ours, theirs] = [a, b].map((text) => text.split('.').map(Number));
  for (let at = 0; at < Math.max(ours?.length ?? 0, theirs?.length ?? 0); at += 1) {
    const difference = (ours?.[at] ?? 0) - (theirs?.[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
