// Huge pages: a VM that has its memory in them needs as many free ones on the target.
import type { Check } from '../../../contract/model.ts';
import { attribute, child, children, type XmlElement } from '../../fleet/xml.ts';
import type { Route } from '../route.ts';
import { error, ok, warn } from './say.ts';

const usualKiB = 2048;
const units: Record<string, number> = { KiB: 1, k: 1, K: 1, MiB: 1024, M: 1024, GiB: 1024 ** 2, G: 1024 ** 2 };

export async function checkHugePages({ domain, target }: Route, root: XmlElement): Promise<Check[]> {
  const asked = child(child(root, 'memoryBacking'), 'hugepages');
  if (!asked) return [];
  const page = children(asked, 'page')[0] ?? null;
  const size = Number(attribute(page, 'size')) * (units[attribute(page, 'unit') ?? 'KiB'] ?? 1);
  const kib = size > 0 ? size : usualKiB;
  const pages = Math.ceil(domain.maxMemoryKiB / kib);
  const ran = await target.shell(
    `cat /sys/kernel/mm/hugepages/hugepages-${kib}kB/free_hugepages 2>/dev/null || echo none`,
  );
  const what = `${domain.name} needs ${pages} huge pages of ${kib} KiB`;
  const said = ran?.stdout.trim() ?? '';
  if (ran?.code === 0 && said === 'none')
    return [error('huge-pages', `${what}, and ${target.label} has none of that size.`)];
  if (ran?.code !== 0 || !/^\d+$/.test(said)) {
    return [warn('huge-pages', `${what}; how many ${target.label} has free is not known.`)];
  }
  if (Number(said) >= pages) return [ok('huge-pages', `${what}, and ${target.label} has ${said} free.`)];
  const fix = `Raise /proc/sys/vm/nr_hugepages on ${target.label}.`;
  return [error('huge-pages', `${what}, and ${target.label} has ${said} free.`, fix)];
}
