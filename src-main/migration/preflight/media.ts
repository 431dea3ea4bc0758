// A medium in a drive that the target does not have: ejecting it, as it would be done.
import type { Remedy } from '../../../contract/model.ts';
import { changed, elementTexts } from '../../fleet/xml-edit.ts';
import { deviceFlags } from '../../libvirt/index.ts';
import type { Route } from '../route.ts';
import type { SourceXml } from './domain-xml.ts';
import { diff } from './diff.ts';
import { onHost } from './remedies.ts';

const drives = ['domain', 'devices', 'disk'];
const devOf = (disk: string) => /<target\b[^>]*\bdev=['"]([^'"]*)['"]/.exec(disk)?.[1];
const fileOf = (disk: string) => /<source\b[^>]*\b(?:file|dev)=['"]([^'"]*)['"]/.exec(disk)?.[1];

/** The drive without what is in it. */
const emptied = (disk: string) =>
  ['source', 'backingStore']
    .reduce((left, name) => changed(left, ['disk', name], () => ''), disk)
    .replace(/^\s*\n/gm, '');

/** @param dev The drive as the guest sees it: `sda`. Null where its XML could not be read. */
export async function ejecting({ domain, source }: Route, dev: string, xml: SourceXml): Promise<Remedy | null> {
  const [live, inactive] = await Promise.all([xml.live(), domain.persistent ? xml.inactive() : null]);
  const find = (of: string | null) =>
    of === null ? undefined : elementTexts(of, drives).find((one) => devOf(one) === dev);
  const drive = find(live);
  if (drive === undefined || fileOf(drive) === undefined) return null;
  const empty = emptied(drive);
  const defined = find(inactive);
  const config = defined !== undefined && fileOf(defined) === fileOf(drive) ? deviceFlags.config : 0;
  const flags = (domain.id === null ? 0 : deviceFlags.live) | config;
  const remedy: Remedy = {
    id: `eject-${dev}`,
    label: `Eject it from ${domain.name}`,
    preview: { kind: 'xml-diff', text: diff(drive, empty) },
  };
  return onHost(remedy, {
    host: source,
    doing: `ejecting ${dev} of ${domain.name}`,
    act: async () => {
      const dom = { name: domain.name, uuid: domain.uuid, id: domain.id ?? -1 };
      await (await source.work()).call('domain_update_device_flags', { dom, xml: empty, flags });
      await source.domains.refreshed(domain.uuid);
    },
  });
}
